from django.apps import AppConfig


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Organisations and people"

    def ready(self) -> None:
        from tenants import current

        current.follow_reconnects()
