"""Settings for Django's own tests: two databases on one server, which exist already."""

import os


def database(name):
    return {"ENGINE": "django.db.backends.postgresql", "NAME": name, "TEST": {"NAME": name},
            "HOST": os.environ["SUITE_HOST"], "PORT": os.environ["SUITE_PORT"], "USER": os.environ["SUITE_USER"],
            "PASSWORD": os.environ["SUITE_PASSWORD"], "DISABLE_SERVER_SIDE_CURSORS": False}


DATABASES = {"default": database("suite"), "other": database("suite_other")}
SECRET_KEY = "suite"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
USE_TZ = False
TEST_RUNNER = "django_outcomes.OutcomeRunner"
