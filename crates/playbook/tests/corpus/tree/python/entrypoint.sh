#!/bin/sh
set -e
export PGPASSWORD="${PGPASSWORD:-@@plain@@}"
DB_PASSWORD='@@plain@@'
: "${API_TOKEN:=@@plain@@}"
psql "postgres://app:@@url@@@db/orders" -c "ALTER USER app PASSWORD '@@sql@@'"
curl -u admin:@@plain@@ https://api.example.com/setup
echo "@@plain@@" | docker login -u ci --password-stdin registry.example.com
mysql -uroot -p@@plain@@ orders < seed.sql
cat <<EOF2 > /etc/app.conf
password=@@any@@
EOF2
aws configure set aws_secret_access_key @@plain@@
run-tool @@token@@
alembic upgrade head
exec "$@"
