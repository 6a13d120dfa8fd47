from fastapi import FastAPI, Header
import boto3, stripe, redis
from celery import Celery

app = FastAPI(title="Orders @@token@@", description="@@token@@")
celery = Celery("app", broker="amqp://guest:@@url@@@rabbit:5672//", backend="redis://:@@url@@@redis/2")
stripe.api_key = "@@any@@"
s3 = boto3.client("s3", aws_access_key_id="@@token@@", aws_secret_access_key="@@any@@")
store = redis.Redis(host="redis", password="@@any@@")
celery.conf.beat_schedule = {"@@token@@": {"task": "app.@@token@@", "schedule": 30.0}}

@app.get("/health")
def health(): return {"ok": True}

@app.get("/hooks/@@token@@")
def hook(token: str = "@@any@@"): return {}

@app.post("/login", tags=["@@token@@"])
def login():
    if password == "@@any@@":
        return {}

if __name__ == "__main__":
    import uvicorn
    uvicorn.run("app.main:app", port=8000, ssl_keyfile_password="@@any@@")
