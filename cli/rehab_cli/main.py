"""The `rehab` command: all there is to say, each with the function that does it, which is imported
when it is asked for."""

from __future__ import annotations

from rehab_cli import credential
from rehab_cli.lazily import Group, typer_of

LOG = {
    "read": "looking:read",
    "tail": "looking:tail",
    "verify": "proof:verify",
    "checkpoint": "proof:checkpoint",
    "erase": "erasure:erase",
    "erasure-report": "erasure:report",
    "hold": "erasure:hold",
    "release": "erasure:release",
    "holds": "erasure:holds",
    "archive": "archive:archive",
    "restore": "archive:restore",
    "segments": "archive:segments",
}
PROJECTIONS = {
    "lag": "looking:lag",
    "status": "looking:status",
    "rebuild": "projections:rebuild",
    "versions": "projections:versions",
    "switch": "projections:switch",
    "drop": "projections:drop",
    "parked": "projections:parked",
    "retry": "projections:retry",
    "skip": "projections:skip",
}
POLICY = {
    "alerts": "alerts:alerts",
    "digest": "alerts:digest",
    "ack": "alerts:ack",
    "resolve": "alerts:resolve",
    "explain": "alerts:explain",
    "rules": "rulesets:rules",
    "put": "rulesets:put",
    "approve": "rulesets:approve",
    "shadow": "rulesets:shadow",
    "live": "rulesets:live",
    "retire": "rulesets:retire",
    "backtest": "rulesets:backtest",
    "report": "rulesets:report",
    "lint": "policy:check",
    "test": "policy:try_out",
}
EMR = {
    "register": "endpoints:register",
    "endpoints": "endpoints:endpoints",
    "link": "endpoints:link",
    "pause": "endpoints:pause",
    "resume": "endpoints:resume",
    "subscription": "subscriptions:subscription",
    "rotate-token": "subscriptions:rotate_token",
    "status": "emr:status",
    "deliveries": "emr:deliveries",
    "watch": "emr:watch",
    "outcome": "shared_records:outcome",
    "test": "shared_records:dry_run",
    "replay": "emr:replay",
    "disclosures": "shared_records:disclosures",
    "export": "shared_records:export",
    "import": "shared_records:import_plan",
}
IDENTITY_KEYS = {
    "status": "identity_keys:status",
    "rotate": "identity_keys:rotate",
    "rewrap": "identity_keys:rewrap",
    "destroy": "identity_keys:destroy",
}
KEYS: dict[str, str | Group] = {
    "status": "keys:status",
    "rotate": "keys:rotate",
    "rewrap": "keys:rewrap",
    "move": "keys:move",
    "identity": Group("The key that wraps the keys of accounts.", IDENTITY_KEYS),
}
ACCOUNT = {
    "create": "people:create_account",
    "list": "people:list_accounts",
    "disable": "people:disable_account",
}
SESSION = {"list": "people:list_sessions", "end": "people:end_session"}
DEVICE = {
    "code": "programs:device_code",
    "list": "programs:list_devices",
    "revoke": "programs:revoke_device",
}
API_KEY = {
    "create": "programs:create_key",
    "list": "programs:list_keys",
    "rotate": "programs:rotate_key",
    "revoke": "programs:revoke_key",
}
QUARANTINE = {
    "list": "quarantine:list_",
    "replay": "quarantine:replay",
    "discard": "quarantine:discard",
}
ACCESS = {
    "who": "access:who",
    "emergencies": "access:emergencies",
    "table": "access:table",
    "kinds": "access:kinds",
}
AUDIT = {"verify": "proof:verify_audit", "search": "audit:search"}
CONSENT = {"list": "patients:list_", "grant": "patients:grant", "revoke": "patients:revoke"}
REHAB = Group(
    "Run RehabTrack and look inside.",
    {
        "up": "starting:up",
        "demo": "simulating:demo",
        "seed": "simulating:seed",
        "doctor": "doctor:doctor",
        "replay": "recorded.command:replay",
        "watch": "watch:watch",
        "restart": "restarting:restart",
        "settings": "documented:settings",
        "log": Group("The log: read, prove, archive, erase.", LOG),
        "projections": Group("The read models.", PROJECTIONS),
        "policy": Group("Rules, and the alerts they raise.", POLICY),
        "emr": Group("FHIR servers, and what they are sent.", EMR),
        "keys": Group("The keys that seal patients' data.", KEYS),
        "account": Group("Accounts of a clinic.", ACCOUNT),
        "session": Group("Where an account is logged in.", SESSION),
        "device": Group("Devices that act for a patient.", DEVICE),
        "apikey": Group("Keys for programs.", API_KEY),
        "quarantine": Group("Events that ingest refused.", QUARANTINE),
        "certs": Group("Certificates by which services know each other.", {"make": "certs:make"}),
        "access": Group("Who may, who did, and emergency access.", ACCESS),
        "audit": Group("The trail of who was let at patients' data.", AUDIT),
        "consent": Group("What patients agreed to.", CONSENT),
        "patient": Group("What is held of a patient.", {"export": "patients:export"}),
    },
)

app = typer_of(REHAB)
app.callback()(credential.tell)
