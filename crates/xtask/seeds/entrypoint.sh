#!/bin/sh
set -eu
: "${DATABASE_URL:?is needed}"
case "${1:-web}" in
  web) exec gunicorn app:app --bind "0.0.0.0:${PORT:-8000}" ;;
  worker) exec celery -A app worker --concurrency "${N:=2}" ;;
  migrate|setup) for f in migrations/*.sql; do psql "$DATABASE_URL" -f "$f"; done ;;
  *) exec "$@" ;;
esac
cat <<'EOT'
done $(date)
EOT
