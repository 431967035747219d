"""A server like the AWS bring-your-own-algorithm sample: Flask, with pandas to read and write every request."""

import io
import os
from pathlib import Path

import flask
import joblib
import pandas

MODEL = joblib.load(Path(os.environ["MODEL_DIR"]) / "model.joblib")
app = flask.Flask(__name__)


@app.route("/ping", methods=["GET"])
def ping():
    return flask.Response(response="\n", status=200, mimetype="application/json")


@app.route("/invocations", methods=["POST"])
def invocations():
    if flask.request.content_type != "text/csv":
        return flask.Response(response="This predictor only supports CSV data", status=415, mimetype="text/plain")
    data = pandas.read_csv(io.StringIO(flask.request.data.decode("utf-8")), header=None)
    predictions = MODEL.predict(data.to_numpy())
    out = io.StringIO()
    pandas.DataFrame({"results": predictions}).to_csv(out, header=False, index=False)
    return flask.Response(response=out.getvalue(), status=200, mimetype="text/csv")
