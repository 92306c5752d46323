"""Makes MediaPipe's `.task` bundle out of the bare networks that an older wheel holds.

A bundle is a zip of two tflite files, stored uncompressed. MediaPipe 1.x wants to read in each
of them how pictures are normalised; the bare files do not say it, so it is added here.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

DETECTOR = "pose_detector.tflite"
LANDMARKER = "pose_landmarks_detector.tflite"

# Mean and standard deviation of the pixels: the detector takes [-1, 1], the landmarks [0, 1].
NORMALIZATION: dict[str, tuple[float, float]] = {DETECTOR: (127.5, 127.5), LANDMARKER: (0.0, 255.0)}

# A fixed date makes equal bundles equal byte by byte.
_DATE = (2000, 1, 1, 0, 0, 0)
ALIGNMENT = 16  # bytes; what TensorFlow Lite wants of weights it reads in place
ZIP_HEADER = 30  # bytes before the name in a zip's local file header


def write_bundle(path: Path, detector: bytes, landmarker: bytes) -> None:
    """Write a bundle for `PoseLandmarker` from the two bare tflite networks."""
    networks = {DETECTOR: detector, LANDMARKER: landmarker}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, network in networks.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.extra = _padding(archive.start_dir + ZIP_HEADER + len(name))
            archive.writestr(entry, with_normalization(network, *NORMALIZATION[name]))


def is_bundle(path: Path) -> bool:
    """Whether `path` is an undamaged zip that holds both networks."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {DETECTOR, LANDMARKER} <= set(archive.namelist()) and archive.testzip() is None
    except (OSError, zipfile.BadZipFile):
        return False


def _padding(start: int) -> bytes:
    """An empty extra field of a zip entry that moves its data from `start` to an aligned place."""
    field = 4  # its id and its length, two bytes each
    length = -(start + field) % ALIGNMENT
    return b"\xff\xff" + length.to_bytes(2, "little") + bytes(length)


def with_normalization(network: bytes, mean: float, std: float) -> bytes:
    """The tflite file `network` with metadata that tells how its input is normalised."""
    import flatbuffers
    from mediapipe.tasks.metadata import schema_py_generated as schema

    class AlignedBuffer(schema.BufferT):
        """A buffer whose bytes start at a multiple of 16, as the original file had it."""

        def Pack(self, builder: flatbuffers.Builder) -> int:
            if self.data is not None and len(self.data):
                builder.StartVector(1, len(self.data), ALIGNMENT)
                builder.head -= len(self.data)
                builder.Bytes[builder.head : builder.head + len(self.data)] = bytes(self.data)
                data = builder.EndVector()
            schema.BufferStart(builder)
            if self.data is not None and len(self.data):
                schema.BufferAddData(builder, data)
            return schema.BufferEnd(builder)

    def aligned(data: np.ndarray | None) -> AlignedBuffer:
        buffer = AlignedBuffer()
        buffer.data = data
        return buffer

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(network, 0))
    metadata = np.frombuffer(_metadata(mean, std), dtype=np.uint8)
    model.buffers = [aligned(buffer.data) for buffer in model.buffers] + [aligned(metadata)]
    entry = schema.MetadataT()
    entry.name, entry.buffer = "TFLITE_METADATA", len(model.buffers) - 1
    model.metadata = [*(model.metadata or []), entry]
    # Reserving the whole size at once spares the builder from growing step by step.
    builder = flatbuffers.Builder(2 * len(network))
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def _metadata(mean: float, std: float) -> bytes:
    """TFLite metadata with the normalisation of the one input."""
    import flatbuffers
    from mediapipe.tasks.metadata import metadata_schema_py_generated as schema

    options = schema.NormalizationOptionsT()
    options.mean, options.std = [mean], [std]
    unit = schema.ProcessUnitT()
    unit.optionsType = schema.ProcessUnitOptions.NormalizationOptions
    unit.options = options
    tensor = schema.TensorMetadataT()
    tensor.processUnits = [unit]
    graph = schema.SubGraphMetadataT()
    graph.inputTensorMetadata = [tensor]
    model = schema.ModelMetadataT()
    model.subgraphMetadata = [graph]
    builder = flatbuffers.Builder(256)
    builder.Finish(model.Pack(builder), b"M001")
    return bytes(builder.Output())
