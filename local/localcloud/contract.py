"""The names of MiniStack that the local cloud leans on although they are private to it.

Checked at every start, so that another version says at once what is missing rather than failing in the middle of
somebody's launch.
"""

from importlib import import_module

CLOUDFORMATION = "ministack.services.cloudformation"
NAMES = {
    "ministack.app": ("app", "_build_persistence_save_dict", "save_all"),
    "ministack.core.persistence": ("STATE_DIR", "_json_default", "_state_format_version"),
    "ministack.core.responses": ("get_account_id", "get_region", "set_request_account_id", "set_request_region"),
    "ministack.services.ec2": ("_ACTION_MAP", "_az_id_for_zone_name", "_xml"),
    "ministack.services.ssm": ("_parameters", "_public_parameter"),
    CLOUDFORMATION: ("_PERSISTED_STORES", "_change_sets", "_stack_events", "_stacks"),
    f"{CLOUDFORMATION}.engine": (
        "_check_parameter_constraints",
        "_constraint_error",
        "_evaluate_conditions",
        "_intrinsic_references",
        "_parse_template",
        "_construct_cfn_tag",
        "_resolve_refs",
        "CfnLoader",
    ),
    f"{CLOUDFORMATION}.changesets": (
        "_deploy_stack_async",
        "_diff_resources",
        "_evaluate_conditions",
        "_parse_template",
        "_resolve_props_for_diff",
        "_resolve_refs",
        "_track_change_set_execution",
    ),
    f"{CLOUDFORMATION}.handlers": (
        "_delete_stack_async",
        "_deploy_stack_async",
        "_evaluate_conditions",
        "_parse_template",
        "_roll_back_operation",
    ),
    f"{CLOUDFORMATION}.stacks": (
        "_add_event",
        "_delete_resource",
        "_delete_stack_async",
        "_deploy_stack_async",
        "_evaluate_conditions",
        "_property_recreation",
        "_provision_keeping_seed",
        "_resolve_refs",
        "_roll_back_operation",
        "_runs_on_worker_thread",
        "_static_property",
        "_update_keeping_seed",
        "_update_resource",
        "run_reentrant",
    ),
    f"{CLOUDFORMATION}.provisioners": (
        "_CONDITIONALLY_REPLACING_PROPERTIES",
        "_REPLACING_PROPERTIES",
        "_RESOURCE_HANDLERS",
        "_custom_resource_create",
        "_custom_resource_delete",
        "_custom_resource_update",
        "_physical_name",
        "_property_recreation",
    ),
}


def missing_names() -> list[str]:
    """The names this MiniStack does not have, dotted."""
    return [
        f"{module}.{name}"
        for module, names in NAMES.items()
        for name in names
        if not hasattr(import_module(module), name)
    ]
