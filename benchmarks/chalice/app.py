"""The Lambda-proxy route of `bench_gateway` as `chalice local` serves it."""

from chalice import Chalice, Response

app = Chalice(app_name="bench")


@app.route("/hello", api_key_required=True)
def hello() -> Response:
    return Response("hello", status_code=200)
