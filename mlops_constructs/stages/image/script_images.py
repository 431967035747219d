"""The two images of a script: one trains, and the same or another one serves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .found_image import FoundImage, framework_image, image_by_uri

if TYPE_CHECKING:
    from constructs import Construct

    from ..._aws.environment import Environment
    from ...config.script import ScriptAlgorithm


@dataclass(frozen=True, slots=True)
class ScriptImages:
    """The images of a script.

    Attributes:
        training: The image that trains.
        serving: The image that serves, or None when it is the same.
    """

    training: FoundImage
    serving: FoundImage | None


def script_images(
    scope: Construct, env: Environment, script: ScriptAlgorithm, training_type: str, serving_type: str
) -> ScriptImages:
    """Return the images for the instance types that train and serve."""
    image, served = script.training_image, script.inference_image
    what = f"{script.framework} {script.version}"
    training = framework_image(scope, "account", env, image, training_type, what)
    if script.inference_image_uri is not None:
        return ScriptImages(training, image_by_uri(env, script.inference_image_uri))
    assert served is not None
    if served.place(serving_type) == image.place(training_type):
        return ScriptImages(training, None)
    what = f"{script.framework} {script.inference_version or script.version} that serves"
    return ScriptImages(training, framework_image(scope, "serving_account", env, served, serving_type, what))
