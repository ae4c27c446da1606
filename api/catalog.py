"""The models and their layers over HTTP: how people choose what to dream with."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint, Tag

from api.answers import shown
from api.contract import problems
from api.requests import ModelPath, SizeQuery
from dreamcore.catalog import MODELS, ModelSpec
from farm.errors import NotFoundError
from farm.schema import LayerView, ModelPage, ModelSummary, ModelView

bp = APIBlueprint(
    "catalog", __name__, url_prefix="/v1/models", abp_tags=[Tag(name="models")], abp_responses=problems(400)
)


@bp.get("", responses={200: ModelPage})
def list_models() -> Response:
    """List the models; each has its layers at its own address."""
    return shown(ModelPage(models=[_summary(model) for model in MODELS.values()]))


@bp.get("/<name>", responses={200: ModelView, **problems(404)})
def get_model(path: ModelPath, query: SizeQuery) -> Response:
    """Return a model, with its layers' shapes at a size."""
    model = MODELS.get(path.name)
    if model is None:
        raise NotFoundError(f"There is no model {path.name!r}. There are: {', '.join(MODELS)}.")
    return shown(_view(model, query))


def _summary(model: ModelSpec) -> ModelSummary:
    return ModelSummary(
        name=model.name,
        title=model.title,
        min_size=model.min_size,
        parameters=model.parameters,
        default_layers=dict(model.default_layers),
        layer_count=len(model.layers),
    )


def _view(model: ModelSpec, size: SizeQuery) -> ModelView:
    return ModelView(
        name=model.name,
        title=model.title,
        min_size=model.min_size,
        parameters=model.parameters,
        default_layers=dict(model.default_layers),
        layers=[
            LayerView(
                name=layer.name,
                kind=layer.kind,
                channels=layer.channels,
                stride=layer.stride,
                receptive_field=layer.receptive_field,
                shape=layer.shape(size.height, size.width),
            )
            for layer in model.layers
        ],
    )
