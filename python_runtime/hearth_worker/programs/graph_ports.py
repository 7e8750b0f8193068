"""Whether a component's graph is the one that a program computes with: told when the model is loaded, not by its first
task."""

from collections.abc import Mapping, Sequence

from hearth_worker.engines.onnx import OnnxComponent, OnnxModel
from hearth_worker.failures import LoadFailed
from hearth_worker.protocol.reports import TensorPort

# Names of inputs or outputs, and how many axes each has.
Ports = Mapping[str, int]


def fitting_component(model: OnnxModel, components: Sequence[str], inputs: Ports, outputs: Ports) -> OnnxComponent:
    """The one that the program runs on. Raises LoadFailed as `first_component` and `check_ports` do."""
    component = first_component(model, components)
    check_ports(component, inputs, outputs)
    return component


def first_component(model: OnnxModel, components: Sequence[str]) -> OnnxComponent:
    """Raises LoadFailed where there is none."""
    if not components:
        raise LoadFailed(f"A node of model {model.manifest.name!r} names no component for its program to run on.")
    return model.components[components[0]]


def check_ports(component: OnnxComponent, inputs: Ports, outputs: Ports) -> None:
    """Raises LoadFailed unless the graph takes just these inputs and gives at least these outputs."""
    given = [port for port in component.outputs if port.name in outputs]
    for what, found, wanted in (("take", component.inputs, inputs), ("give", given or component.outputs, outputs)):
        if not _are(found, wanted):
            raise LoadFailed(
                f"The graph of component {component.files.component.name!r} should {what} "
                f"{_words(wanted)}, not {_words({port.name: len(port.shape) for port in found})}."
            )


def _are(found: Sequence[TensorPort], wanted: Ports) -> bool:
    return {port.name: len(port.shape) for port in found} == dict(wanted)


def _words(ports: Ports) -> str:
    return ", ".join(f"{name!r} of {axes} axes" for name, axes in ports.items()) or "nothing"
