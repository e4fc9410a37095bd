"""Files in columns: putting one there, and reading what is there."""

from datetime import timedelta
from pathlib import PurePosixPath
from typing import Any

from graphql import GraphQLResolveInfo

from . import building
from .answers import Refused, bad_argument, no_such_column
from .context import Context, Table, of
from .multipart import Upload
from .readings import Reading, asset_url, is_image, moment
from .signing import link
from .state import Asset, Item

LARGEST = 20 * 1024 * 1024  # the vendor takes 500 MB; nobody has to send that much to a sandbox
PUBLIC_FOR = timedelta(hours=1)


def add_file_to_column(_: Any, info: GraphQLResolveInfo, *, column_id: str, file: Upload, item_id: str) -> dict[str, Any]:
    context = of(info)
    item = context.writable_item(item_id)
    column = item.board.columns.get(column_id)
    if column is None or column.archived:
        raise no_such_column(column_id)
    if column.type != "file":
        raise bad_argument(f"A column of type {column.type} takes no files", column_id=column_id)
    if len(file.content) > LARGEST:
        raise Refused("FILE_SIZE_LIMIT_EXCEEDED", "The file is too large", status=422)
    asset = _kept(context, file)
    building.store(context.state, item, column, [*item.values.get(column.id, ()), asset.id], context.now)
    return shown(asset, context)


def _kept(context: Context, file: Upload) -> Asset:
    asset = Asset(
        id=context.state.new_id("asset"),
        name=PurePosixPath(file.name).name or "file",
        content=file.content,
        content_type=file.content_type,
        created_at=context.now,
        uploader=context.user,
    )
    context.state.assets[asset.id] = asset
    return asset


def shown(asset: Asset, context: Context) -> dict[str, Any]:
    address = asset_url(asset, context.state)
    return {
        "id": asset.id,
        "name": asset.name,
        "file_extension": PurePosixPath(asset.name).suffix,
        "file_size": len(asset.content),
        "created_at": moment(asset.created_at),
        "original_geometry": None,
        "public_url": link(context.base_url, "asset", asset.id, context.now, lives=PUBLIC_FOR, title=asset.name),
        "uploaded_by": asset.uploader,
        "url": address,
        "url_thumbnail": address if is_image(asset) else None,
    }


def files(reading: Reading, info: GraphQLResolveInfo) -> list[dict[str, Any]]:
    context = of(info)
    return [
        {
            "asset": shown(asset, context),
            "asset_id": asset.id,
            "created_at": moment(asset.created_at),
            "creator": asset.uploader,
            "creator_id": asset.uploader.id,
            "is_image": is_image(asset),
            "name": asset.name,
        }
        for asset in reading.assets()
    ]


def item_assets(
    item: Item, info: GraphQLResolveInfo, *, column_ids: list[str] | None = None, assets_source: str | None = None
) -> list[dict[str, Any]]:
    """The files of an item's columns; its gallery is always empty here."""
    context = of(info)
    columns = [one for one in item.board.live_columns() if one.type == "file" and (column_ids is None or one.id in column_ids)]
    if assets_source == "gallery":
        return []
    return [shown(asset, context) for column in columns for asset in Reading(item, column, context.state).assets()]


def assets(_: Any, info: GraphQLResolveInfo, *, ids: list[str]) -> list[dict[str, Any]]:
    context = of(info)
    known = context.state.assets
    return [shown(known[asset_id], context) for asset_id in dict.fromkeys(ids) if asset_id in known]


FILES: Table = {
    "Item.assets": item_assets,
    "Mutation.add_file_to_column": add_file_to_column,
    "Query.assets": assets,
}
FILE_VALUES: Table = {"FileValue.files": files}
