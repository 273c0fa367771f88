"""The contract: fresh generated code, lint, compatibility, and what importing it needs."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import protovalidate
import pytest
from google.protobuf import descriptor_pb2
from google.protobuf.message import Message

from rehab.events.v1 import event_pb2, kinds

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"


def load(name: str) -> ModuleType:
    sys.path.insert(0, str(PROTOS))
    try:
        spec = importlib.util.spec_from_file_location(name, PROTOS / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(PROTOS))


def generated(folder: Path) -> dict[str, bytes]:
    paths = [
        path
        for pattern in ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py")
        for path in folder.rglob(pattern)
    ]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    out = tmp_path_factory.mktemp("protos")
    path = out / "image.binpb"
    path.write_bytes(load("build").build(out / "python"))
    return path, out / "python"


def test_generated_code_is_what_the_protos_say(image: tuple[Path, Path]) -> None:
    assert generated(image[1] / "rehab") == generated(PROTOS / "rehab"), "run make protos"


def buf(command: str, image: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("buf")
    config = load("check").CONFIG
    return subprocess.run(
        [program, command, image, "--config", config, *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_contract_passes_lint(image: tuple[Path, Path]) -> None:
    result = buf("lint", image[0])
    assert result.returncode == 0, result.stdout


def test_contract_breaks_nothing_that_was_released(image: tuple[Path, Path]) -> None:
    result = buf("breaking", image[0], "--against", str(PROTOS / "released.binpb"))
    assert result.returncode == 0, result.stdout


def test_a_breaking_change_is_found(image: tuple[Path, Path], tmp_path: Path) -> None:
    files = descriptor_pb2.FileDescriptorSet.FromString(image[0].read_bytes())
    event = next(file for file in files.file if file.name == "rehab/events/v1/event.proto")
    envelope = next(message for message in event.message_type if message.name == "Envelope")
    envelope.field[0].type = descriptor_pb2.FieldDescriptorProto.TYPE_UINT64
    broken = tmp_path / "broken.binpb"
    broken.write_bytes(files.SerializeToString())
    result = buf("breaking", broken, "--against", str(PROTOS / "released.binpb"))
    assert result.returncode != 0
    assert "event_id" in result.stdout


def test_importing_the_contract_needs_grpcio_and_protobuf_only() -> None:
    code = (
        "import sys, pkgutil, importlib, rehab\n"
        "for found in pkgutil.walk_packages(rehab.__path__, 'rehab.'):\n"
        "    importlib.import_module(found.name)\n"
        "foreign = {'buf', 'protovalidate', 'mypy'} & {n.split('.')[0] for n in sys.modules}\n"
        "assert not foreign, foreign\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=PROTOS, check=True)


def test_every_kind_has_an_own_message_and_the_brief_five_come_first() -> None:
    names = list(kinds.KINDS)
    assert names[:5] == ["exercise_session", "rep_observation", "feedback", "alert", "consent"]
    messages = [field.message_type.name for field in event_pb2.Body.DESCRIPTOR.fields]
    assert len(set(messages)) == len(messages) == len(names)


def test_every_rule_of_the_contract_compiles() -> None:
    validator = protovalidate.Validator()

    def check(message: type[Message]) -> None:
        validator.collect_violations(message())

    for field in event_pb2.Body.DESCRIPTOR.fields:
        check(field.message_type._concrete_class)
        for nested in field.message_type.fields:
            if nested.message_type is not None and not nested.message_type.GetOptions().map_entry:
                check(nested.message_type._concrete_class)
    check(event_pb2.Event)


def test_self_reports_qualify_as_monitoring_and_heart_rate_does_not() -> None:
    pain = event_pb2.Body()
    pain.pain_report.nprs = 0
    exertion = event_pb2.Body()
    exertion.feedback.exertion.cr10 = 3
    cue = event_pb2.Body()
    cue.feedback.form.cue = "knees_out"
    vitals = event_pb2.Body()
    vitals.health_samples.metric = "heart_rate"
    assert [kinds.rtm_qualifying(body) for body in (pain, exertion, cue, vitals)] == [
        True,
        True,
        False,
        False,
    ]
