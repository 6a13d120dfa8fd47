"""Settings. The old key was @@any@@."""
import os
from pydantic_settings import BaseSettings

SECRET_KEY = os.environ.get("SECRET_KEY", "@@any@@")
DATABASE_URL = os.getenv("DATABASE_URL", "postgresql://app:@@url@@@localhost/orders")
API_KEY = "@@any@@"
TIMEOUT = int(os.getenv("TIMEOUT", "@@token@@"))
REGION = os.environ.get("REGION") or "@@token@@"
LEGACY = os.environ["@@token@@"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "orders", "USER": "app", "PASSWORD": "@@any@@", "HOST": "db"}}

class Settings(BaseSettings):
    jwt_secret: str = "@@any@@"  # @@any@@
    mail_password: str = "@@any@@"
    bucket: str = "@@token@@"
    redis_url: str = "redis://:@@url@@@redis:6379/1"
