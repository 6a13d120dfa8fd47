use playbook_core::inventory::SignalKind;

use super::facts;
use crate::fact::Facts;

/// Name, required, has a default and the default of each variable.
fn variables(found: &Facts) -> Vec<(String, bool, bool, String)> {
    found
        .variables
        .iter()
        .map(|variable| {
            let default = variable
                .default
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            (
                variable.name.to_string(),
                variable.required,
                variable.has_default,
                default,
            )
        })
        .collect()
}

fn one(name: &str, required: bool, has_default: bool, default: &str) -> (String, bool, bool, String) {
    (name.to_owned(), required, has_default, default.to_owned())
}

#[test]
fn a_settings_class() {
    let found = facts(
        "//- config.py\nfrom pydantic import BaseModel, Field, PostgresDsn, SecretStr\nfrom pydantic_settings import BaseSettings, SettingsConfigDict\n\nclass Mail(BaseModel):\n    host: str = 'localhost'\n\nclass Settings(BaseSettings):\n    model_config = SettingsConfigDict(env_prefix='APP_', env_nested_delimiter='__')\n    debug: bool = False\n    token: SecretStr = Field(min_length=32, description='Signs the links.')\n    db_url: PostgresDsn\n    mail: Mail = Mail()\n    ttl: int = 60 * 5\n    site: str | None = None\n    legacy: str = Field('x', validation_alias='OLD_NAME')\n    _private: str = ''\n    kinds: ClassVar[list] = []\n\n    @property\n    def x(self) -> str:\n        y: str = 'no'\n        return y\n",
    );
    assert_eq!(
        variables(&found),
        [
            one("APP_DEBUG", false, true, "false"),
            one("APP_TOKEN", true, false, ""),
            one("APP_DB_URL", true, false, ""),
            one("APP_MAIL__HOST", false, true, "localhost"),
            one("APP_TTL", false, true, "300"),
            one("APP_SITE", false, true, ""),
            one("OLD_NAME", false, true, "x"),
        ]
    );
    let token = &found.variables[1];
    assert_eq!((token.secret, token.min_length), (true, Some(32)));
    assert_eq!(
        token
            .description
            .as_ref()
            .map(playbook_core::shown::Shown::as_str),
        Some("Signs the links.")
    );
    assert_eq!(found.stores[0].kind, "postgresql");
    assert_eq!(
        found.stores[0]
            .variable
            .as_ref()
            .map(playbook_core::harmless::EnvName::as_str),
        Some("APP_DB_URL")
    );
}

#[test]
fn a_secret_default_is_withheld() {
    let found = facts(
        "//- config.py\nfrom pydantic_settings import BaseSettings\nclass Settings(BaseSettings):\n    secret_key: str = 'qT7-vanilla-Otter-91'\n",
    );
    assert_eq!(variables(&found), [one("SECRET_KEY", false, true, "")]);
    assert!(found.withheld.is_in("qT7-vanilla-Otter-91"));
    assert_eq!(found.committed_secrets.len(), 1);
}

#[test]
fn readers_and_wrappers() {
    let found = facts(
        "//- a.py\nimport os\nimport environ\nenv = environ.Env(DEBUG=(bool, False))\nDATABASES = {'default': env.db()}\nHOSTS = env.list('ALLOWED_HOSTS', default=[])\nKEY = env('SECRET_KEY')\n//- b.py\nimport os\ndef flag(name, default='0'):\n    return os.environ.get(name, default) == '1'\nA = flag('FEATURE_A')\nB = flag('FEATURE_B', '1')\ndef need(name):\n    value = os.environ.get(name)\n    if not value:\n        raise RuntimeError(name)\n    return value\nC = need('API_BASE')\n//- c.py\nfrom .helpers import env_int\nD = env_int('POOL', 5)\nE = other('NOT_A_VARIABLE')\n",
    );
    assert_eq!(
        variables(&found),
        [
            one("DEBUG", false, true, "false"),
            one("DATABASE_URL", true, false, ""),
            one("ALLOWED_HOSTS", false, true, ""),
            one("SECRET_KEY", true, false, ""),
            one("FEATURE_A", false, false, ""),
            one("FEATURE_B", false, true, "1"),
            one("API_BASE", true, false, ""),
            one("POOL", false, true, "5"),
        ]
    );
}

#[test]
fn what_has_to_be_there() {
    let found = facts(
        "//- settings.py\nimport os\nKEY = os.environ.get('COOKIE_SECRET')\nif KEY is None:\n    raise Exception('set it')\nOTHER = os.environ.get('OTHER')\nif OTHER is None:\n    OTHER = 'x'\n",
    );
    assert_eq!(variables(&found), [one("COOKIE_SECRET", true, false, "")]);
}

#[test]
fn checks_and_switches() {
    let found = facts(
        "//- config.py\nclass S:\n    def check(self):\n        if self.SECRET_KEY == 'changethis':\n            raise ValueError\nif settings.ENVIRONMENT == 'development':\n    pass\nif settings.ENVIRONMENT == 'production':\n    pass\n",
    );
    let kinds: Vec<SignalKind> = found.signals.iter().map(|signal| signal.kind).collect();
    assert_eq!(
        kinds,
        [SignalKind::ChecksPlaceholder, SignalKind::DevelopmentSwitch]
    );
}

#[test]
fn jobs_with_their_schedules() {
    let found = facts(
        "//- a.py\nfrom celery.schedules import crontab\napp.conf.beat_schedule = {\n    'nightly': {'task': 'jobs.nightly', 'schedule': crontab(hour=3, minute=0)},\n    'tick': {'task': 'jobs.tick', 'schedule': 30.0},\n}\n@app.on_after_configure.connect\ndef setup(sender, **kwargs):\n    sender.add_periodic_task(timedelta(minutes=5), sweep.s())\n//- b.py\nfrom apscheduler.schedulers.background import BackgroundScheduler\ns = BackgroundScheduler()\ns.add_job(clean, 'interval', minutes=10)\n@s.scheduled_job('cron', hour=2)\ndef report(): ...\n//- c.py\nimport schedule\nschedule.every(10).minutes.do(poll)\nschedule.every().day.at('10:30').do(send)\n//- d.py\nfrom arq import cron\nJOBS = [cron(sync, hour=4)]\n",
    );
    let told: Vec<(String, String)> = found
        .jobs
        .iter()
        .map(|job| {
            (
                job.name.to_string(),
                job.schedule.as_ref().map(ToString::to_string).unwrap_or_default(),
            )
        })
        .collect();
    let expected = [
        ("nightly", "crontab(hour=3, minute=0)"),
        ("tick", "every 30s"),
        ("sweep", "timedelta(minutes=5)"),
        ("clean", "interval(minutes=10)"),
        ("report", "cron(hour=2)"),
        ("poll", "every 10 minutes"),
        ("send", "every day at 10:30"),
        ("sync", "cron(hour=4)"),
    ];
    assert_eq!(
        told,
        expected.map(|(name, when)| (name.to_owned(), when.to_owned()))
    );
    assert_eq!(found.signals[0].kind, SignalKind::InProcessScheduler);
}
