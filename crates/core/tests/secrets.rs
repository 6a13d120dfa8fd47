//! Made-up secrets in many places, none of which may be printed; and harmless facts, which should be.

use playbook_core::harmless::{
    CommandLine, HttpUrl, ImageRef, Name, Schedule, Sentence, Setting, Symbol, UrlPath, Version,
};
use playbook_core::raw::Raw;
use playbook_core::secret::{TokenShape, token_shapes};

/// A small generator of numbers, the same on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap_or_default()
    }

    fn text(&mut self, alphabet: &str, length: usize) -> String {
        let characters: Vec<char> = alphabet.chars().collect();
        (0..length)
            .map(|_| characters[self.next(characters.len())])
            .collect()
    }
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Every vendor's shape, and keys of the usual generators.
fn machine_made(numbers: &mut Numbers) -> Vec<String> {
    let mut all: Vec<String> = token_shapes().iter().flat_map(TokenShape::examples).collect();
    for _ in 0..40 {
        all.push(numbers.text("0123456789abcdef", 31) + "a1");
        all.push(numbers.text("0123456789abcdef", 63) + "7b");
        all.push(format!(
            "{}+{}/9aZ=",
            numbers.text(ALNUM, 30),
            numbers.text(ALNUM, 30)
        ));
        all.push(numbers.text(ALNUM, 38) + "x7Qz2K");
    }
    all
}

/// Passwords that people make.
fn human(numbers: &mut Numbers) -> Vec<String> {
    let mut all: Vec<String> = [
        "hunter2",
        "P@ssw0rd",
        "Tr0ub4dor&3",
        "letmein1",
        "qwerty123",
        "s3cr3t",
        "admin123",
    ]
    .map(str::to_owned)
    .to_vec();
    for word in [
        "Summer", "Winter", "Berlin", "Dragon", "Welcome", "Monkey", "Hunter", "Sunshine",
    ] {
        all.push(format!("{word}{}!", 1980 + numbers.next(45)));
        all.push(format!("{word}{}", 1980 + numbers.next(45)));
    }
    all
}

fn shown<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

#[test]
fn no_secret_under_a_secret_name_or_in_a_place_of_credentials() {
    let mut numbers = Numbers(0x5eed);
    let mut secrets = machine_made(&mut numbers);
    secrets.extend(human(&mut numbers));
    secrets.extend(["correct-horse-battery", "bluebird", "zebrafish"].map(str::to_owned));
    for _ in 0..40 {
        let length = numbers.next(8) + 6;
        secrets.push(numbers.text(LOWER, length));
    }
    assert!(secrets.len() >= 300, "{}", secrets.len());
    let mut leaks = Vec::new();
    for secret in &secrets {
        for name in [
            "DB_PASSWORD",
            "STRIPE_API_KEY",
            "DATABASE_URL",
            "jwt.secret",
            "ConnectionStrings__Default",
            "SLACK_WEBHOOK_URL",
        ] {
            if Setting::judge(name, Raw::new(secret)).is_some() {
                leaks.push(format!("{name}={secret}"));
            }
        }
        for place in [
            "psql postgres://app:{}@db.example.com/x",
            "PGPASSWORD={} psql -h db",
            "export API_TOKEN={}",
            "tool --password {} run",
            "tool --api-key={} run",
            "helm upgrade a ./chart --set db.password={}",
            "kubectl create secret generic a --from-literal=token={}",
            "curl -u me:{} https://api.example.com",
            "curl -H \"Authorization: Bearer {}\" https://api.example.com",
            "curl https://api.example.com/?token={}",
            "echo {} | docker login --password-stdin",
            "docker login -u me -p {} registry.example.com",
            "redis-cli -a {} ping",
            "mysql -uroot -p{} app",
            "sshpass -p {} ssh host",
            "java -Dspring.datasource.password={} -jar app.jar",
            "cat <<EOF\n{}\nEOF",
            "run ${DB_PASSWORD:-{}}",
            "aws configure set aws_secret_access_key {}",
            "rabbitmqctl add_user app {}",
        ] {
            let text = place.replace("{}", secret);
            if shown(CommandLine::parse(Raw::new(&text))).contains(secret.as_str()) {
                leaks.push(text);
            }
        }
        let url = format!("https://me:{secret}@host.example.com/a.git");
        if shown(HttpUrl::parse(Raw::new(&url))).contains(secret.as_str()) {
            leaks.push(url);
        }
        let sentence = format!("The default password is {secret}");
        if Sentence::parse(Raw::new(&sentence)).is_some() {
            leaks.push(sentence);
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks: {:#?}",
        leaks.len(),
        leaks.iter().take(12).collect::<Vec<_>>()
    );
}

#[test]
fn no_recognisable_secret_through_any_type() {
    let mut numbers = Numbers(0xabcd);
    let mut secrets = machine_made(&mut numbers);
    secrets.extend(human(&mut numbers));
    let mut leaks = Vec::new();
    for secret in &secrets {
        let raw = Raw::new(secret);
        for (kind, text) in [
            ("name", shown(Name::parse(raw))),
            ("version", shown(Version::parse(raw))),
            (
                "path",
                shown(UrlPath::parse(Raw::new(&format!("/hooks/{secret}")))),
            ),
            ("schedule", shown(Schedule::parse(raw))),
            ("symbol", shown(Symbol::parse(raw))),
            ("sentence", shown(Sentence::parse(raw))),
            ("setting", shown(Setting::parse(raw))),
            ("judged", shown(Setting::judge("SERVICE_NAME", raw))),
            (
                "image",
                shown(ImageRef::parse(Raw::new(&format!(
                    "registry.example.com/app:{secret}"
                )))),
            ),
            (
                "command",
                shown(CommandLine::parse(Raw::new(&format!("run {secret} now")))),
            ),
            (
                "url",
                shown(HttpUrl::parse(Raw::new(&format!(
                    "https://host.example.com/{secret}"
                )))),
            ),
        ] {
            if text.contains(secret.as_str()) {
                leaks.push(format!("{kind}: {secret}"));
            }
        }
    }
    assert!(
        leaks.is_empty(),
        "{} leaks: {:#?}",
        leaks.len(),
        leaks.iter().take(12).collect::<Vec<_>>()
    );
}

#[test]
fn harmless_facts_stay_visible() {
    let settings = "PORT 80 3000 8000 8080 5432|LOG_LEVEL debug info WARNING error trace|NODE_ENV production development test staging|AWS_REGION eu-central-1 us-east-1 ap-southeast-2 europe-west3 westeurope|TZ Europe/Berlin UTC America/Argentina/Buenos_Aires Etc/UTC|LANG en_US.UTF-8 C.UTF-8 de-DE en|TIMEOUT 30 30s 5m 1h30m PT5M 0.5 500ms 1.5|MEMORY 512m 512Mi 2g 10MB 256mb 1Gi|DEBUG true false 0 1 on off yes no|CORS_ORIGINS http://localhost:3000,http://localhost:5173 * http://localhost https://localhost:8443|DB_HOST db localhost postgres 127.0.0.1 order-db host.docker.internal db.example.com|API_BASE_URL http://api:8000 http://localhost:8080/api https://api.example.com/v1|DB_DRIVER pgsql mysql sqlite mysql2 postgresql|QUEUE_NAME default order-events high emails order.created|DJANGO_SETTINGS_MODULE config.settings.production app.settings|POSTGRES_USER app postgres order_service|POSTGRES_DB app orders|FEATURE_SIGNUP enabled disabled|APP_VERSION 1.2.3 v2.0.0 2024.1 1.0.0-rc.1|MODEL gpt-4o-mini text-embedding-3-small|BIND 0.0.0.0:8000 0.0.0.0|SAMPLE_RATE 0.1 1.0 10%|CACHE_DRIVER redis file array memcached|DATA_DIR /var/lib/app ./data /tmp|KAFKA_BROKERS kafka:9092 kafka-1:9092,kafka-2:9092 localhost:9092";
    let commands = "uvicorn app.main:app --host 0.0.0.0 --port 8000|celery -A app.worker worker --loglevel=info|npm ci|npm run start:prod|pnpm --filter @acme/api build|npx prisma migrate deploy|dotnet Api.dll|java -Dserver.port=8080 -Xmx512m -jar app.jar|mix phx.server|bundle exec rails db:migrate|php artisan migrate --force|docker compose -f compose.yml -f compose.prod.yml up -d|alembic downgrade -1|python manage.py migrate|flask db upgrade|cargo run --release|go build -o /bin/api ./cmd/api|sqlx migrate run|node dist/main.js|yarn workspace api start|uv sync --frozen|pip install -r requirements.txt|curl -f http://localhost:8000/health|redis-cli ping|nginx -g 'daemon off;'|./entrypoint.sh|sh -c 'exec node server.js'";
    let images = "postgres:16|redis:7-alpine|ghcr.io/acme/api:1.2.3|node:20-bookworm-slim|registry.example.com:5000/a/b:latest|python|postgis/postgis:16-3.4";
    let schedules = "0 3 * * *|*/5 * * * *|@daily|@every 1h30m|every 30s|24h|timedelta(minutes=5)|crontab(hour=3, minute=0)|dailyAt('13:00')|everyFiveMinutes()|0 0/5 * * * ?|0 9 * * MON-FRI|CronExpression.EVERY_5_MINUTES|5.minutes|rate(5 minutes)";
    let versions = "3.12;>=18;^20.1.0;>=18 <23;18-alpine;v1.2.3-rc.1;lts/jod;3.12-slim-bookworm;8.0.404;1.25rc1;20.x;1.27.2-alpine3.20-perl;6.0.0-preview.1;20.x || 22.x";
    let names = "api|celery-worker|@acme/api|fe56fa70289e|20240101000000_init|0001_initial|feature/login|order.created|users.email|CreateUser1715028537217|web01|oauth2-proxy";
    let mut hidden: Vec<String> = Vec::new();
    let mut count = 0;
    let mut check = |text: &str, visible: String| {
        count += 1;
        if visible != text {
            hidden.push(text.to_owned());
        }
    };
    for line in settings.split('|') {
        let (name, values) = line.split_once(' ').expect("name and values");
        for value in values.split(' ') {
            check(value, shown(Setting::judge(name, Raw::new(value))));
        }
    }
    for text in commands.split('|') {
        check(text, shown(CommandLine::parse(Raw::new(text))));
    }
    for text in images.split('|') {
        check(text, shown(ImageRef::parse(Raw::new(text))));
    }
    for text in schedules.split('|') {
        check(text, shown(Schedule::parse(Raw::new(text))));
    }
    for text in versions.split(';') {
        check(text, shown(Version::parse(Raw::new(text))));
    }
    for text in names.split('|') {
        check(text, shown(Name::parse(Raw::new(text))));
    }
    assert!(count >= 150, "{count}");
    assert!(
        hidden.is_empty(),
        "{} of {count} hidden: {hidden:#?}",
        hidden.len()
    );
}
