// The only script of our own: theme, copy, dialogs, list keys, the palette key, lookups, the notice of a lost connection.
// Everything it touches works without it as a link or a form.

const root = document.documentElement;
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

function setTheme(name) {
  if (name === "system") delete root.dataset.theme;
  else root.dataset.theme = name;
  document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax`;
  for (const button of $$("[data-set-theme]")) button.setAttribute("aria-pressed", button.dataset.setTheme === name);
}

// The clipboard exists only on https and on this machine; elsewhere a selected field does the same.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: text }));
  field.select();
  document.execCommand("copy");
  field.remove();
}

async function copy(button) {
  await write(button.dataset.copy);
  button.dataset.copied = "";
  say(`Copied ${button.dataset.copy}`);
  setTimeout(() => delete button.dataset.copied, 1500);
}

function say(words) {
  const says = $("#says");
  if (says) says.textContent = words;
}

// A link to the form with what is typed, without secrets: whoever opens it starts from these answers.
function linkTo(form) {
  const answers = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    const secret = form.elements[name]?.type === "password" || name === "csrf_token" || name === "made_for" || name === "shown";
    if (!secret && value) answers.append(name, value);
  }
  return `${location.origin}${location.pathname}?${answers}`;
}

function opened(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
  return dialog;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-form], [data-set-theme], [data-opens], [data-closes]");
  if (!button || event.ctrlKey || event.metaKey) return;
  if (button.dataset.copyForm) button.dataset.copy = linkTo(document.getElementById(button.dataset.copyForm));
  const { copy: text, setTheme: theme, opens, closes } = button.dataset;
  if (text) copy(button);
  if (theme) setTheme(theme);
  if (closes) document.getElementById(closes)?.close();
  if (theme || (opens && opened(opens))) event.preventDefault();
});

// Ctrl K or Cmd K opens the palette. Single keys work only outside fields and can be switched off (data-keys="off").
document.addEventListener("keydown", (event) => {
  const palette = $("#palette");
  if (palette && (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    palette.open ? palette.close() : palette.showModal();
    return;
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || root.dataset.keys === "off") return;
  if (event.key === "/" && palette) {
    event.preventDefault();
    palette.showModal();
  } else if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
});

// j and k move the focus from name to name; Enter then follows the link, as it always does.
function walk(by) {
  const names = $$("[data-walk] tbody th a, [data-walk] h3 a").filter((name) => name.offsetParent);
  const now = names.findIndex((name) => name.closest("tr, li").contains(document.activeElement));
  names[Math.min(Math.max(now + by, 0), names.length - 1)]?.focus();
}

// Arrow keys move aria-selected in the list that the field controls; Enter follows it, or sends the form.
document.addEventListener("keydown", (event) => {
  const list = document.getElementById(event.target.getAttribute?.("aria-controls"));
  if (!list || list.hidden || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const options = $$('[role="option"]:not([aria-disabled="true"])', list);
  const now = options.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "Enter") return now < 0 || (event.preventDefault(), options[now].click());
  if (!options.length) return;
  event.preventDefault();
  const next = options[(Math.max(now, event.key === "ArrowDown" ? -1 : 0) + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
  options[now]?.setAttribute("aria-selected", "false");
  next.setAttribute("aria-selected", "true");
  next.scrollIntoView({ block: "nearest" });
  event.target.setAttribute("aria-activedescendant", next.id);
});

// A lookup: the browser's own list becomes one that shows ids, notes and what may not be chosen.
function makeLookup(box) {
  const input = $("input", box);
  const list = Object.assign(document.createElement("div"), { className: "lookup-list", id: `${input.id}-list`, hidden: true });
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", box.dataset.lookup);
  let typed = false;
  const show = (on) => {
    list.hidden = !on || !list.childElementCount;
    input.setAttribute("aria-expanded", !list.hidden);
    input.removeAttribute("aria-activedescendant");
  };
  const fill = () => {
    const wanted = typed ? input.value.trim().toLowerCase() : "";
    const found = [...$("datalist", box).options].filter((option) => `${option.value} ${option.label} ${option.dataset.note ?? ""}`.toLowerCase().includes(wanted));
    list.replaceChildren(...found.slice(0, 50).map((option, number) => row(option, `${list.id}-${number}`)));
  };
  const choose = (value) => {
    typed = false;
    input.value = value;
    input.dispatchEvent(new Event("change", { bubbles: true }));
    show(false);
  };
  input.addEventListener("input", () => ((typed = true), fill(), show(true)));
  input.addEventListener("focus", () => (fill(), show(true)));
  input.addEventListener("blur", () => setTimeout(() => ((typed = false), show(false)), 150));
  input.addEventListener("keydown", (event) => event.key === "Escape" && !list.hidden && (event.preventDefault(), show(false)));
  // Pressing on the list leaves the focus where it is: what was typed so far is no answer yet, and must not be sent as one.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const option = event.target.closest('[role="option"]:not([aria-disabled="true"])');
    if (option) choose(option.dataset.value);
  });
  return () => {
    if (list.parentElement === box && input.role === "combobox") return void (list.hidden || fill());
    input.removeAttribute("list");
    for (const [name, value] of [["role", "combobox"], ["aria-controls", list.id], ["aria-autocomplete", "list"]]) input.setAttribute(name, value);
    box.append(list);
    fill();
    show(!list.hidden);
  };
}

function row(option, id) {
  const line = document.createElement("div");
  line.id = id;
  line.dataset.value = option.value;
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", "false");
  if (option.disabled) line.setAttribute("aria-disabled", "true");
  const name = document.createElement("span");
  name.append(option.label);
  if (option.label !== option.value) name.append(" ", small(option.value));
  line.append(name, small(option.dataset.note ?? ""));
  return line;
}

function small(words) {
  return Object.assign(document.createElement("small"), { textContent: words });
}

// Several of many: the ticks stay what they are; chips above show the chosen, a field narrows the rest.
function makeMany(field) {
  const box = $(".lookup", field);
  const narrow = $("[data-narrow]", box);
  const chips = Object.assign(document.createElement("div"), { className: "chips" });
  const ticks = () => $$("[type=checkbox]", box);
  const draw = () => {
    const many = ticks().length > 5;
    narrow.parentElement.hidden = !many;
    box.toggleAttribute("data-narrowed", many);
    if (many) box.before(chips);
    chips.replaceChildren(...ticks().filter((tick) => tick.checked).map((tick) => chip(tick, narrow)));
  };
  box.addEventListener("change", draw);
  narrow.addEventListener("input", () => {
    const wanted = narrow.value.trim().toLowerCase();
    for (const tick of ticks()) tick.closest("label").hidden = !tick.closest("label").textContent.toLowerCase().includes(wanted);
  });
  return draw;
}

function chip(tick, narrow) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "chip" });
  button.textContent = `${tick.value} ×`;
  button.setAttribute("aria-label", `Remove ${tick.value}`);
  button.addEventListener("click", () => {
    narrow.focus();
    tick.click();
  });
  return button;
}

// What arrives with the page or with a partial: dialogs that stand open, lookups, toasts that leave by themselves.
// A morph keeps an element but takes off what the script put on it, so each lookup is dressed again after every swap.
const dress = new WeakMap();
function dressed(element, make) {
  if (!dress.has(element)) dress.set(element, make(element));
  dress.get(element)();
}

function greet() {
  for (const dialog of $$("dialog[data-open]:not([open])")) dialog.showModal();
  for (const box of $$("[data-lookup]")) dressed(box, makeLookup);
  for (const field of $$("[data-many]")) dressed(field, makeMany);
  for (const toast of $$(".toasts .toast")) announce(toast);
}

function announce(toast) {
  if ("said" in toast.dataset) return;
  toast.dataset.said = "";
  say(toast.firstElementChild.textContent);
  if ("leaves" in toast.dataset) setTimeout(() => toast.remove(), 8000);
}

document.addEventListener("htmx:after:swap", greet);
greet();

// When a poll fails the page keeps what it shows and says since when it is old.
const lost = $("#lost");
const clock = (date) => date.toISOString().slice(11, 19);
let readAt = lost?.dataset.readAt || clock(new Date());
const polls = (ctx) => /\bevery\b/.test(ctx?.sourceElement?.getAttribute("hx-trigger") ?? "");

function loseTouch(event) {
  if (lost && polls(event.detail.ctx)) lost.textContent = `Reconnecting, last read ${readAt}`;
}
document.addEventListener("htmx:error", loseTouch);
document.addEventListener("htmx:before:response", (event) => {
  const { ctx } = event.detail;
  if (!polls(ctx)) return;
  if (ctx.response.status >= 500) {
    event.preventDefault();
    loseTouch(event);
  } else {
    readAt = clock(new Date());
    if (lost?.textContent) lost.textContent = "";
  }
});
