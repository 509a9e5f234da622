"""What an unmodified tritonclient sees: asked by open-inference.services.test.ts, answers one JSON line."""

import json
import sys

import numpy
import tritonclient.http as triton

asked = json.load(sys.stdin)
headers = {"authorization": f"Bearer {asked['apiKey']}"}
# `infer` writes the length of its JSON into the dict that it is given: each call gets one of its own.
client = triton.InferenceServerClient(asked["host"])
pixels = numpy.array(asked["pixels"], dtype=numpy.float32).reshape(1, 1, 28, 28)


def infer(binary_in, binary_out):
    image = triton.InferInput("image", list(pixels.shape), "FP32")
    image.set_data_from_numpy(pixels, binary_data=binary_in)
    names = [one["name"] for one in metadata["outputs"]]
    outputs = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in names]
    result = client.infer("digits", [image], outputs=outputs, headers=dict(headers), request_id="mine")
    return {
        "id": result.get_response()["id"],
        "version": result.get_response()["model_version"],
        "outputs": {name: result.as_numpy(name).flatten().tolist() for name in names},
    }


def infer_all():
    image = triton.InferInput("image", list(pixels.shape), "FP32")
    image.set_data_from_numpy(pixels)
    result = client.infer("digits", [image], headers=dict(headers), timeout=20_000_000, priority=1)
    return {one["name"]: result.as_numpy(one["name"]).flatten().tolist() for one in metadata["outputs"]}


def refused(work):
    try:
        work()
    except triton.InferenceServerException as error:
        return {"status": error.status(), "message": error.message()}
    return None


metadata = client.get_model_metadata("digits", headers=headers)
print(
    json.dumps(
        {
            "live": client.is_server_live(),
            "ready": client.is_server_ready(),
            "server": client.get_server_metadata(headers=headers),
            "metadata": metadata,
            "modelReady": client.is_model_ready("digits", headers=headers),
            "strangerReady": client.is_model_ready("nobody", headers=headers),
            "index": client.get_model_repository_index(headers=headers),
            "binary": infer(True, True),
            "json": infer(False, False),
            "mixed": infer(True, False),
            "all": infer_all(),
            "noKey": refused(lambda: client.get_model_metadata("digits")),
            "noModel": refused(lambda: client.get_model_metadata("nobody", headers=headers)),
            "load": refused(lambda: client.load_model("digits", headers=headers)),
        }
    )
)
