"""Make the tables, the bucket and the sample object where they are missing."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from movies import tables
from movies.errors import AWSRefused


class Command(BaseCommand):
    help = "Creates the DynamoDB tables, the S3 bucket and the sample object; safe to repeat."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            tables.create_tables()
            tables.create_bucket()
            tables.put_sample_object()
        except AWSRefused as error:
            raise CommandError(error.details) from error
        self.stdout.write(
            f"Tables {settings.MOVIES_TABLE} and {settings.MOVIES_TERMS_TABLE}, "
            f"bucket {settings.POSTERS_BUCKET} and object {settings.SAMPLE_KEY} are there."
        )
