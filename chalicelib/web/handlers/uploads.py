"""Uploads of inputs that are too large for a request."""

from chalicelib.use_cases.create_upload import CreateUpload
from chalicelib.web.http import Request, Response
from chalicelib.web.schemas.uploads import UploadRequest, upload_view


def create_upload(create: CreateUpload, request: Request) -> Response:
    """201 with where and how to send the bytes that the request announces."""
    wanted = UploadRequest.read(request.json())
    announced = create(request.tenant_id, size_bytes=wanted.size_bytes, sha256=wanted.sha256)
    return Response(status=201, body=upload_view(announced).to_bytes())
