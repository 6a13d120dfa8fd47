//! Command lines, judged word by word.

mod shell;

use std::fmt;

use self::shell::Judge;
use crate::raw::Raw;
use crate::secret;
use crate::shown::{REDACTED, Shown};
use crate::visit::Visit;

/// A command as the repository states it. Its shape stays; each word that is not provably harmless becomes
/// `<REDACTED>`: the argument after a secret option, the value of an assignment to a secret name, a URL with user info,
/// a header that authorises, what is piped into a program, a here-document, a token, a word made as a password.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct CommandLine(Shown);

impl CommandLine {
    /// Judges a command. `None` only for an empty one, for one over 2,000 bytes and for one that holds control
    /// characters other than white space.
    pub fn parse(raw: Raw<'_>) -> Option<Self> {
        let text = raw.peek();
        if text.len() > 2_000
            || text
                .chars()
                .any(|c| (c.is_control() && !c.is_whitespace()) || secret::is_invisible(c))
        {
            return None;
        }
        let judged = Judge::judge(&shell::without_here_documents(text), 0);
        if judged.is_empty() {
            return None;
        }
        // A credential that goes over several words.
        let spread = secret::token_kind(&judged).is_some() && secret::looks_like_token(&judged);
        Some(Self(if spread {
            Shown::redacted()
        } else {
            Shown::judged(&judged)
        }))
    }

    /// The judged text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Was something withheld?
    pub fn is_redacted(&self) -> bool {
        self.as_str().contains(REDACTED)
    }

    /// The words, separated by white space.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.as_str().split(' ')
    }
}

impl From<CommandLine> for Shown {
    fn from(value: CommandLine) -> Self {
        value.0
    }
}

impl From<&CommandLine> for Shown {
    fn from(value: &CommandLine) -> Self {
        value.0.clone()
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Visit for CommandLine {
    fn visit(&mut self, field: &'static str, f: &mut dyn FnMut(&'static str, &mut Shown)) {
        f(field, &mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        CommandLine::parse(Raw::new(text)).expect("not empty").to_string()
    }

    #[test]
    fn ordinary_commands_stay_whole() {
        for text in [
            "uvicorn app.main:app --host 0.0.0.0 --port $PORT",
            "gunicorn -w 4 -k uvicorn.workers.UvicornWorker app.main:app --bind=0.0.0.0:${PORT:-8000}",
            "celery -A app.worker worker --loglevel=info",
            "npx prisma migrate deploy && node dist/main.js",
            "pnpm --filter=@acme/api build",
            "NODE_ENV=production node dist/main",
            "echo '' > .env && npm run migration:run",
            "bash -c \"alembic upgrade head\"",
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn secrets_are_cut_out() {
        assert_eq!(
            shown("psql postgres://u:hunter22@db/x -c 1"),
            "psql <REDACTED> -c 1"
        );
        assert_eq!(shown("PGPASSWORD=hunter22 psql"), "PGPASSWORD=<REDACTED> psql");
        assert_eq!(
            shown("redis-server --requirepass hunter22"),
            "redis-server --requirepass <REDACTED>"
        );
        assert_eq!(shown("x --password=hunter22 y"), "x --password=<REDACTED> y");
        assert_eq!(shown("mysqldump -pHunter22x db"), "mysqldump <REDACTED> db");
        assert_eq!(
            shown("redis-server --requirepass $REDIS_PASSWORD"),
            "redis-server --requirepass $REDIS_PASSWORD"
        );
    }

    #[test]
    fn credentials_in_every_place() {
        for (command, expected) in [
            (
                "sshpass -p hunter x ssh a",
                "sshpass -p <REDACTED> <REDACTED> <REDACTED> <REDACTED>",
            ),
            (
                "curl -u a:b https://x.example.com",
                "curl -u <REDACTED> https://x.example.com",
            ),
            (
                "curl -H \"Authorization: Bearer abc\" https://x.example.com",
                "curl -H <REDACTED> https://x.example.com",
            ),
            (
                "curl -H \"Accept: application/json\" https://x.example.com",
                "curl -H \"Accept: application/json\" https://x.example.com",
            ),
            (
                "helm upgrade x ./chart --set x.password=y --set replicas=2",
                "helm upgrade x ./chart --set x.password=<REDACTED> --set replicas=2",
            ),
            (
                "helm upgrade x ./chart --set a=b,x.password=y",
                "helm upgrade x ./chart --set <REDACTED>",
            ),
            ("export TOKEN=abc && run", "export TOKEN=<REDACTED> && run"),
            (
                "echo blue | docker login -u me --password-stdin",
                "echo <REDACTED> | docker login -u me --password-stdin",
            ),
            (
                "docker login -u me -p blue registry.example.com",
                "docker login -u me -p <REDACTED> registry.example.com",
            ),
            (
                "cat <<EOF > .env\nKEY=blue\nEOF\nrun",
                "cat <<EOF > .env <REDACTED> EOF run",
            ),
            (
                "psql -c \"ALTER USER x PASSWORD 'blue'\"",
                "psql -c \"ALTER USER x PASSWORD <REDACTED>\"",
            ),
            (
                "java -Dspring.datasource.password=blue -jar app.jar",
                "java -Dspring.datasource.password=<REDACTED> -jar app.jar",
            ),
            (
                "docker run -e DB_PASSWORD=blue -e PORT=80 app",
                "docker run -e DB_PASSWORD=<REDACTED> -e PORT=80 app",
            ),
            (
                "kubectl create secret generic x --from-literal=password=blue",
                "kubectl create secret generic x --from-literal=password=<REDACTED>",
            ),
            (
                "aws configure set aws_secret_access_key blue",
                "aws configure set aws_secret_access_key <REDACTED>",
            ),
            (
                "rabbitmqctl add_user app blue",
                "rabbitmqctl add_user app <REDACTED>",
            ),
            (
                "curl -fsu a:b https://x.example.com",
                "curl -fsu <REDACTED> https://x.example.com",
            ),
            (
                "docker login -u me -p 28104993",
                "docker login -u me -p <REDACTED>",
            ),
            (
                "echo \"login ci password blue horse\" and more",
                "echo \"login ci password <REDACTED>\" and more",
            ),
            ("run 11bd71901bbe5b1630ceea73d27597364c9af683", "run <REDACTED>"),
            (
                "run _344GClkBUEH8shCLxWwhoKfcl1e_9trT1ubCjyJfDw=",
                "run <REDACTED>",
            ),
            (
                "mysql -e \"CREATE USER app IDENTIFIED WITH native BY 'blue'\"",
                "mysql -e \"CREATE USER app IDENTIFIED WITH native BY <REDACTED>\"",
            ),
            ("x p%40ss", "x <REDACTED>"),
            ("run ${DB_PASSWORD:-blue}", "run <REDACTED>"),
            ("base64 -d <<< blue", "base64 -d <<< <REDACTED>"),
            ("mysql -uroot -pblue db", "mysql -uroot <REDACTED> db"),
            ("login admin Summer2024! now", "login admin <REDACTED> now"),
            (
                "sh -c 'PGPASSWORD=blue psql -h db'",
                "sh -c 'PGPASSWORD=<REDACTED> psql -h db'",
            ),
            ("curl https://x.example.com/?token=blue", "curl <REDACTED>"),
        ] {
            assert_eq!(shown(command), expected);
        }
    }

    #[test]
    fn more_ordinary_commands_stay_whole() {
        for text in [
            "java -Xmx512m -XX:+UseG1GC -Dserver.port=8080 -jar /app/app.jar",
            "dotnet Web.Api.dll --urls http://+:8080",
            "bundle exec puma -C config/puma.rb",
            "php artisan queue:work --tries=3 --timeout=90",
            "mix ecto.migrate",
            "docker compose -f docker-compose.yml up -d --build",
            "mkdir -p /var/data && chown -R app:app /var/data",
            "curl -f http://localhost:8000/health || exit 1",
            "pg_isready -U ${POSTGRES_USER:-app} -d $POSTGRES_DB",
            "python -m pip install -r requirements.txt",
            "npm ci --omit=dev 2>&1",
            "exec \"$@\"",
            "alembic downgrade fe56fa70289e",
            "redis-server --maxmemory 256mb --maxmemory-policy allkeys-lru",
            "node --max-old-space-size=4096 dist/main.js",
            "celery -A config.celery_app beat -l INFO --scheduler django_celery_beat.schedulers:DatabaseScheduler",
            "wait-for-it.sh db:5432 -t 60 -- npm run start:prod",
            "npm run start -- --port 3000",
            "git checkout 11bd71901bbe5b1630ceea73d27597364c9af683",
            "pip install git+https://git.example.com/a/b.git@11bd71901bbe5b1630ceea73d27597364c9af683",
            "docker run -d -p 8080:80 nginx",
            "echo \"starting the server\"",
        ] {
            assert_eq!(shown(text), text);
        }
    }
}
