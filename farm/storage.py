"""Pictures, checkpoints and results in S3-compatible storage."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from dreamcore.errors import PictureTooLargeError
from farm.errors import NotFoundError, PermanentError, TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_s3 import S3Client
    from pydantic import AnyHttpUrl

    from farm.settings import Settings

CAN_NOT = frozenset({409, 412, 501})
"""What a store answers that has the object already, or doesn't know the condition."""

MISSING = frozenset({"404", "NoSuchKey", "NotFound"})
REFUSED_FROM, REFUSED_UNTIL = 400, 500


class ObjectStore:
    """One bucket. Everything it holds has a name from `farm.keys`."""

    def __init__(self, settings: Settings) -> None:
        self.bucket = settings.s3_bucket
        self.presign_expiry_s = settings.presign_expiry_s
        self.ca_file = settings.s3_ca_file
        self._client = _client(settings, settings.s3_endpoint_url)
        # A signature covers the host, so links for users are signed for the host that users reach.
        self._public = _client(settings, settings.s3_public_endpoint_url or settings.s3_endpoint_url)

    def put(self, key: str, data: bytes, *, content_type: str) -> None:
        """Store an object, replacing what was there."""
        with _s3_errors():
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data, ContentType=content_type)

    def put_new(self, key: str, data: bytes) -> bool:
        """Store an object unless there is one of this name; False where there is, and where the store can't tell."""
        try:
            self._client.put_object(Bucket=self.bucket, Key=key, Body=data, IfNoneMatch="*")
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] in CAN_NOT:
                return False
            raise _translated(error) from error
        except (BotoCoreError, OSError) as error:
            raise TransientError("The object store (S3)") from error
        return True

    def clock_skew_s(self) -> float:
        """Return how far the store's clock is ahead of this machine's, in s."""
        with _s3_errors():
            headers = self._client.head_bucket(Bucket=self.bucket)["ResponseMetadata"]["HTTPHeaders"]
        there = parsedate_to_datetime(headers["date"]) if "date" in headers else datetime.now(UTC)
        return (there - datetime.now(UTC)).total_seconds()

    def get(self, key: str, *, max_bytes: int | None = None) -> bytes:
        """Return an object's bytes.

        Raises
        ------
        NotFoundError
            There is no such object.
        PictureTooLargeError
            It is larger than `max_bytes`.
        """
        with _s3_errors():
            answer = self._client.get_object(Bucket=self.bucket, Key=key)
            if max_bytes is not None and answer["ContentLength"] > max_bytes:
                raise PictureTooLargeError(f"The file has {answer['ContentLength']} bytes; {max_bytes} are allowed.")
            return answer["Body"].read()

    def copy(self, source: str, key: str) -> None:
        """Copy an object within the store.

        Raises
        ------
        NotFoundError
            There is no such object.
        """
        with _s3_errors():
            self._client.copy_object(Bucket=self.bucket, Key=key, CopySource={"Bucket": self.bucket, "Key": source})

    def exists(self, key: str) -> bool:
        """Tell whether there is an object of this name."""
        try:
            with _s3_errors():
                self._client.head_object(Bucket=self.bucket, Key=key)
        except NotFoundError:
            return False
        return True

    def names(self, prefix: str) -> Iterator[str]:
        """Yield the names of the objects that start so, in their order."""
        with _s3_errors():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield item["Key"]

    def delete_prefix(self, prefix: str, *, suffix: str = "") -> None:
        """Remove every object whose name starts and ends so."""
        with _s3_errors():
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
            for key in [item["Key"] for page in pages for item in page.get("Contents", [])]:
                if key.endswith(suffix):
                    self._client.delete_object(Bucket=self.bucket, Key=key)

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with _s3_errors():
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def presigned_get(self, key: str, *, filename: str | None = None) -> str:
        """Return a link that reads this object alone, and offers it as a download where a file name is given."""
        disposition = {"ResponseContentDisposition": f'attachment; filename="{filename}"'} if filename else {}
        return self._public.generate_presigned_url(
            "get_object",
            Params={"Bucket": self.bucket, "Key": key, **disposition},
            ExpiresIn=self.presign_expiry_s,
        )

    def presigned_put(self, key: str) -> str:
        """Return a link that writes this object alone."""
        return self._public.generate_presigned_url(
            "put_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=self.presign_expiry_s
        )

    def check(self) -> None:
        """Raise unless the bucket can be reached."""
        with _s3_errors():
            self._client.head_bucket(Bucket=self.bucket)

    def create_bucket(self) -> None:
        """Create the bucket; one that is there already is left as it is."""
        try:
            self.check()
        except NotFoundError:
            with _s3_errors():
                self._client.create_bucket(Bucket=self.bucket)


def _client(settings: Settings, endpoint: AnyHttpUrl | None) -> S3Client:
    secret = settings.s3_secret_access_key
    return boto3.client(
        "s3",
        endpoint_url=str(endpoint).rstrip("/") if endpoint else None,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
        verify=str(settings.s3_ca_file) if settings.s3_ca_file else None,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=3,
            read_timeout=30,
            max_pool_connections=32,
            retries={"mode": "standard", "total_max_attempts": 3},
        ),
    )


@contextmanager
def _s3_errors() -> Iterator[None]:
    """Turn the vendor's errors into the farm's."""
    try:
        yield
    except ClientError as error:
        raise _translated(error) from error
    except (BotoCoreError, OSError) as error:
        raise TransientError("The object store (S3)") from error


def _translated(error: ClientError) -> Exception:
    code = error.response.get("Error", {}).get("Code", "")
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    if code in MISSING:
        return NotFoundError("The object store holds no such object.")
    if REFUSED_FROM <= status < REFUSED_UNTIL and code not in {"SlowDown", "RequestTimeout"}:
        return PermanentError(f"The object store refused: {code}. Check its address, bucket and credentials.")
    return TransientError("The object store (S3)")
