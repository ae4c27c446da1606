"""What can go wrong in a dream, each with a code that programs can rely on."""


class DreamError(Exception):
    """A dream that can't be had; the message names the bad value, what is allowed, and the fix."""

    code = "dream_error"


class PictureError(DreamError):
    """The file is no picture that can be dreamt: empty, broken, of an unknown format, too large or too small."""

    code = "bad_picture"


class PictureTooLargeError(PictureError):
    """The picture has more pixels than the limit."""

    code = "picture_too_large"


class PictureTooCostlyError(PictureError):
    """Reading the picture takes more memory or time than it may."""

    code = "picture_too_costly"


class PictureTooSmallError(PictureError):
    """The picture is smaller than the network takes."""

    code = "picture_too_small"


class WeightsError(DreamError):
    """The weights are missing, are other bytes than expected, or don't fit the model."""

    code = "weights_unavailable"


class ModelFileError(DreamError):
    """A user's own model can't be loaded safely, has no layers to dream with, or is not the one described."""

    code = "bad_model_file"


class GuideError(DreamError):
    """The objective needs a guide picture and there is none, or there is one and the objective follows none."""

    code = "guide_mismatch"


class MaskError(DreamError):
    """A mask is of another size than the picture, says nothing, or is named by no term or by a term in vain."""

    code = "mask_mismatch"


class GradientError(DreamError):
    """The gradient is not finite, or zero everywhere: there is no direction to dream in."""

    code = "no_gradient"


class OutOfMemoryError(DreamError):
    """The picture needs more memory than there is, even by the smallest tiles that are allowed."""

    code = "out_of_memory"


class CheckpointError(DreamError):
    """A checkpoint doesn't belong to this picture and these parameters, or is damaged."""

    code = "bad_checkpoint"


class PackError(DreamError):
    """The pictures of a pack differ in what they must have in common."""

    code = "bad_pack"
