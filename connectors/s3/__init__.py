"""The kind `s3`: the objects of a bucket, at Amazon or at any server that speaks its protocol (MinIO, Ceph, R2, …).

    kb source add reports s3 url=s3://acme-reports/2024 region=eu-west-1 include='*.pdf, *.md'
    kb source add lake s3 url=s3://lake/docs endpoint=https://minio.example.org access_key_id=reader \\
        secret_access_key='${LAKE_SECRET}'
    kb source add open s3 url=s3://open-data/texts anonymous=true

- `url`: `s3://BUCKET` or `s3://BUCKET/PREFIX`. The prefix is a directory: `s3://b/docs` is what lies below `docs/`.
- `endpoint`: the server, Amazon's own by default. Only where it says `http://` is it asked without TLS.
- `region`: `us-east-1` by default; where the bucket says that it is elsewhere, the error tells which to give.
- `access_key_id`, `secret_access_key`, `session_token`: without them what the environment (`AWS_ACCESS_KEY_ID`, …), a
  web identity, the container or the instance gives. `anonymous` = `true`: ask without any.
- `include`, `exclude`: gitignore patterns, matched with URIs.
- `path_style`: whether the bucket is a path at the server (default where `endpoint` is given) or a host of its own.
- `timeout_s`: 30 by default: how long to wait for a connection, and for each part of an answer. What fails sooner is
  tried again twice.

**A document** is an object; its URI is its key relative to the prefix, written as `connectors.uri` says. Keys that end
in `/` are directory markers: left out and counted. **A change** is another ETag or size (with an ETag that is weak or
missing, another time), so an object that is replaced by the same bytes is no change. **A deletion** is a key that a
complete listing lacks; an empty listing is believed only from the bucket itself.

**Fetched** are the bytes that the object has at that moment, decompressed where it was stored with a Content-Encoding.
Their revision is the object's version where the bucket keeps versions, else its ETag, and both come with the bytes, so
they are right also where the object changed since it was listed. What users stored with it as `x-amz-meta-…` is kept.

**Unavailable as a source**: no such bucket, wrong or expired credentials, no answer in time, an answer that breaks off
or is no listing, on whichever page. **Unavailable as a document**: what is archived (GLACIER, DEEP_ARCHIVE) and was not
restored, what may not be read, and keys with a step `.` or `..`, which no URL can name.
"""

from connectors.s3.connector import S3Connector
from connectors.s3.options import S3Options

__all__ = ["S3Connector", "S3Options"]
