"""The main colours of a picture: as values, and as a strip of them to look at."""

from io import BytesIO
from typing import Annotated, Any

from hearth_worker.failures import InvalidRequest
from hearth_worker.programs.files import InputFile, OutputFile, ProgramOutput
from hearth_worker.programs.one_step import OneStep
from hearth_worker.programs.picture_files import decode
from msgspec import Meta, Struct
from PIL import Image


class Parameters(Struct, forbid_unknown_fields=True):
    """What a caller may set."""

    colours: Annotated[int, Meta(ge=1, le=16)] = 5


class PaletteRequest(Struct):
    """The parameters, and the files of the caller's `artifactIds`."""

    parameters: Parameters
    artifacts: list[InputFile] = []


class Palette(OneStep[PaletteRequest, ProgramOutput]):
    """Best run on pictures of a few megapixels."""

    request_type = PaletteRequest

    def run(self, request: PaletteRequest) -> ProgramOutput:
        """Raises InvalidRequest, whose words reach the caller."""
        if len(request.artifacts) != 1:
            raise InvalidRequest("Give one picture in `artifactIds`: the id that PUT /uploads answered with.")
        few = decode(request.artifacts[0].read()).quantize(request.parameters.colours)
        counts: Any = few.getcolors()
        values: Any = few.getpalette()
        strip = Image.new("RGB", (64 * len(counts), 64))
        colours = []
        for place, (count, index) in enumerate(sorted(counts, reverse=True)):
            red, green, blue = values[3 * index : 3 * index + 3]
            strip.paste((red, green, blue), (64 * place, 0, 64 * place + 64, 64))
            share = round(count / (few.width * few.height), 4)
            colours.append({"colour": f"#{red:02x}{green:02x}{blue:02x}", "share": share})
        with BytesIO() as file:
            strip.save(file, "PNG")
            return ProgramOutput({"colours": colours}, [OutputFile.of("image/png", file.getvalue())])


PROGRAMS = {"palette": Palette}
