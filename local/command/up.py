"""`./slipway up`: everything on this machine, until somebody asks to stop."""

import shutil
from pathlib import Path

from command import environment, programs, services, venvs
from command.installation import Ports, choose_ports, locked, read_secrets
from command.places import ROOT, existing
from command.problems import Refused, Stopped
from command.progress import say
from command.services import Child, Service
from command.venvs import python_of

ROOM = 200_000_000
# Nothing here talks to other workers through the broker; the database knows all there is to know.
WORKER = ("celery", "-A", "app.worker", "worker", "--loglevel", "WARNING")
ALONE = ("--without-gossip", "--without-mingle", "--without-heartbeat")
PEOPLE = "Sign in as dana, omar, petra, mona, alan or ada; the password is the name."


def up(data: Path, port: int, pace: float) -> int:
    """Run the installation in `data` until SIGINT or SIGTERM; all it holds stays for the next time."""
    check_room(data)
    try:
        with locked(data, "start another"):
            services.stop_leftovers(data)
            ports = choose_ports(data, port)
            venvs.prepare(("portal", "cloud", "idp"))
            _run(data, ports, pace)
    except Stopped:
        say("Stopped")
    return 0


def check_room(data: Path) -> None:
    """Refuse to start on a disk that is as good as full."""
    free = shutil.disk_usage(existing(data)).free
    if free < ROOM:
        raise Refused(
            f"The disk of {data} is full: {free // 1_000_000} MB are free and {ROOM // 1_000_000} MB are needed. "
            "Make room and run the same command again."
        )


def _run(data: Path, ports: Ports, pace: float) -> None:
    stand_ins: list[Child] = []
    portal: list[Child] = []
    try:
        # The stand-ins start while the database is prepared: neither needs the other yet.
        for service in (_cloud(data, ports, pace), _idp(data, ports)):
            stand_ins.append(services.start(service, data))
        _prepare_portal(data, ports)
        for service in _portal(data, ports):
            portal.append(services.start(service, data))
        services.wait_until_ready([*stand_ins, *portal])
        print(f"Slipway is ready: http://localhost:{ports.web}\n{PEOPLE}", flush=True)
        services.watch([*portal, *stand_ins])
    finally:
        # The portal first: what it still has to finish needs the cloud.
        services.stop(portal, data)
        services.stop(stand_ins, data)


def _prepare_portal(data: Path, ports: Ports) -> None:
    say("Preparing the database, the catalog and the demo organisation")
    log = data / "logs" / "prepare.log"
    log.unlink(missing_ok=True)
    command = (python_of("portal"), "-m", "app.cli", "prepare")
    if programs.run(command, log, environment.of_the_portal(data, ports), ROOT) != 0:
        raise Refused(f"The database could not be prepared. The log is {log}; it ends:\n{programs.last_lines(log)}")


def _cloud(data: Path, ports: Ports, pace: float) -> Service:
    command = [python_of("cloud"), ROOT / "local" / "cloud.py", "--port", ports.cloud, "--data", data / "cloud"]
    url = f"http://127.0.0.1:{ports.cloud}/_slipway/ready"
    return Service("cloud", "local cloud", _words(*command, "--pace", pace), environment.bare(), lambda: _answers(url))


def _idp(data: Path, ports: Ports) -> Service:
    portal = f"http://localhost:{ports.web}"
    command = [python_of("idp"), ROOT / "local" / "idp.py", "--port", ports.idp, "--data", data / "idp"]
    options = {
        "--people": ROOT / "local" / "demo.yaml",
        "--redirect-uri": f"{portal}/sign-in/callback",
        "--post-logout-uri": f"{portal}/sign-in?out=1",
        "--client-id": "slipway",
    }
    words = _words(*command, *(word for option in options.items() for word in option))
    url = f"http://localhost:{ports.idp}/.well-known/openid-configuration"
    env = environment.bare() | {"OIDC_CLIENT_SECRET": read_secrets(data)["OIDC_CLIENT_SECRET"]}
    return Service("idp", "local identity provider", words, env, lambda: _answers(url))


def _portal(data: Path, ports: Ports) -> list[Service]:
    env = environment.of_the_portal(data, ports)
    url = f"http://127.0.0.1:{ports.web}/readyz"
    web = _words(python_of("portal"), "-m", "gunicorn", "--bind", f"127.0.0.1:{ports.web}", "wsgi:app")
    worker = _words(python_of("portal"), "-m", *WORKER, *ALONE)
    return [
        Service("web", "web server", web, env, lambda: _answers(url)),
        Service("worker", "worker", worker, env, lambda: _has_worker(url)),
    ]


def _answers(url: str) -> bool:
    return services.answer_of(url) is not None


def _has_worker(url: str) -> bool:
    answer = services.answer_of(url)
    return bool(answer and answer["worker"] == "ok")


def _words(*parts: object) -> tuple[str, ...]:
    return tuple(str(part) for part in parts)
