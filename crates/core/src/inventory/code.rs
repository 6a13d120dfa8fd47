//! What the code says about its interfaces and its operation.

use crate::evidence::{Confidence, Evidence, Scope};
use crate::harmless::CommandLine;
use crate::path::RelPath;
use crate::shown::Shown;
use crate::visit::{record, words};

record! {
    /// An API specification: a file, or the place where one is generated.
    pub struct ApiSpec {
        /// openapi asyncapi graphql protobuf json-schema wsdl postman
        pub kind: Shown,
        /// The file.
        pub path: RelPath,
        /// The URL path it is served under, where it is generated at run time.
        pub served_at: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A kind of authentication that the code offers to its clients.
    pub struct AuthFact {
        /// The contract's slug.
        pub kind: Shown,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// An HTTP route.
    pub struct Route {
        /// GET, POST … or `*`.
        pub method: Shown,
        /// The whole path, with the prefixes of routers and mounts that could be followed.
        pub path: Shown,
        /// Could every prefix be followed?
        pub complete: bool,
        /// Slug of the framework that serves it.
        pub framework: Option<Shown>,
        /// Id of the service.
        pub service: Option<Shown>,
        /// Does it want authentication? `None` when the code does not show it.
        pub authenticated: Option<bool>,
        /// Datastore kinds that its handler is seen to touch.
        pub touches: Vec<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

words! {
    /// Interfaces that need care at the edge.
    pub enum InterfaceKind {
        /// A WebSocket endpoint.
        WebSocket = "websocket",
        /// Server-sent events or another streamed answer.
        ServerSentEvents = "server-sent-events",
        /// A metrics endpoint.
        Metrics = "metrics",
        /// Interactive API documentation.
        ApiDocs = "api-docs",
        /// An administration console.
        Admin = "admin",
        /// A file upload.
        Upload = "upload",
        /// A gRPC server.
        Grpc = "grpc",
        /// A GraphQL endpoint.
        GraphQl = "graphql",
        /// A webhook receiver.
        Webhook = "webhook",
        /// Static files.
        Static = "static",
    }
}

record! {
    /// An interface that needs care at the edge.
    pub struct Interface {
        /// What it is.
        pub kind: InterfaceKind,
        /// Its path, where the code says one.
        pub path: Option<Shown>,
        /// Id of the service.
        pub service: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A connection pool.
    pub struct Pool {
        /// The library: `sqlalchemy`, `prisma`, `pgx`, `hikaricp` …
        pub library: Shown,
        /// The datastore's slug.
        pub datastore: Option<Shown>,
        /// Id of the service.
        pub service: Option<Shown>,
        /// Connections that are kept, where the code says so.
        pub size: Option<u32>,
        /// Connections beyond that, where the code says so.
        pub overflow: Option<u32>,
        /// The variable that sets the size.
        pub variable: Option<Shown>,
        /// Stated in the code, or the library's default.
        pub confidence: Confidence,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A limit on how many requests a client may make.
    pub struct RateLimit {
        /// The library.
        pub library: Shown,
        /// Where it keeps its counters: `memory`, `redis`, `cache` (the application's), `shared` (a store that the code names).
        pub state: Option<Shown>,
        /// Id of the service.
        pub service: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// Files that requests bring.
    pub struct Upload {
        /// The library or framework that reads them.
        pub library: Shown,
        /// Where they go: `disk`, `memory`, `object-storage`, `disk-setting` (a setting names the disk).
        pub destination: Option<Shown>,
        /// The largest body or file that the code admits, in bytes.
        pub limit_bytes: Option<u64>,
        /// Id of the service.
        pub service: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A CORS policy.
    pub struct CorsPolicy {
        /// Origins written in the code, where harmless.
        pub origins: Vec<Shown>,
        /// Variables that carry origins.
        pub variables: Vec<Shown>,
        /// Does it admit every origin?
        pub wildcard: bool,
        /// Is an origin admitted by a pattern?
        pub pattern: bool,
        /// Are credentials allowed?
        pub credentials: bool,
        /// Id of the service.
        pub service: Option<Shown>,
        /// The places that prove it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A place that states the version of a runtime or tool.
    pub struct VersionPin {
        /// Slug of the runtime or tool.
        pub tool: Shown,
        /// The version as written.
        pub version: Shown,
        /// The folder for which it holds.
        pub path: RelPath,
        /// Where it holds.
        pub scope: Scope,
        /// The place.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A command that the documentation tells people to run.
    pub struct DocumentedCommand {
        /// The command.
        pub command: CommandLine,
        /// Heading under which it stands.
        pub heading: Option<Shown>,
        /// The place.
        pub evidence: Vec<Evidence>,
    }
}

words! {
    /// What a command names.
    pub enum ReferenceKind {
        /// A file or a folder.
        File = "file",
        /// A module of Python.
        Module = "module",
        /// A script of a package manifest.
        Script = "script",
        /// A target of a Makefile, a justfile or a Taskfile.
        Target = "target",
        /// A port of a container.
        Port = "port",
    }
}

words! {
    /// Where a command stands.
    pub enum ReferenceOrigin {
        /// In a document for people.
        Document = "document",
        /// It starts a process.
        Start = "start-command",
    }
}

record! {
    /// Something that a command names and the repository does not have.
    pub struct MissingReference {
        /// What it would be.
        pub kind: ReferenceKind,
        /// Its name, as far as it is harmless.
        pub name: Shown,
        /// Where the command stands.
        pub origin: ReferenceOrigin,
        /// The command.
        pub command: CommandLine,
        /// What the repository has in its place: the only file of that name, or the ports that the image listens on.
        pub instead: Option<Shown>,
        /// Id of the service that the command starts.
        pub service: Option<Shown>,
        /// The place of the command, then that of what contradicts it.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A document with rules of the repository's own: a constitution, agent instructions, decision records.
    pub struct ProjectRule {
        /// `constitution`, `agent-instructions`, `decision-record`, `contributing`, `deployment-guide`
        pub kind: Shown,
        /// The document.
        pub path: RelPath,
        /// The heading that concerns deployment, where it is plain prose.
        pub heading: Option<Shown>,
        /// The place.
        pub evidence: Vec<Evidence>,
    }
}

record! {
    /// A secret that stands in the repository. Its value is nowhere in the inventory.
    pub struct CommittedSecret {
        /// Name of the variable or key.
        pub name: Option<Shown>,
        /// Kind of credential: `password`, `api-key`, `private-key`, `connection-string`, `token` …
        pub kind: Shown,
        /// Is it a stand-in such as `changeme`?
        pub placeholder: bool,
        /// Where it holds.
        pub scope: Scope,
        /// The place.
        pub evidence: Vec<Evidence>,
    }
}

words! {
    /// Single observations that rules judge.
    pub enum SignalKind {
        /// Debug mode is switched on.
        DebugEnabled = "debug-enabled",
        /// A development server is started.
        DevelopmentServer = "development-server",
        /// A listener binds to the loopback address.
        BindsLoopback = "binds-loopback",
        /// State is kept in the process's memory.
        InMemoryState = "in-memory-state",
        /// Files are written to the local disk.
        LocalFiles = "local-files",
        /// A shutdown signal is handled.
        GracefulShutdown = "graceful-shutdown",
        /// The schema is created by the code (`create_all`, `synchronize: true`).
        SchemaFromCode = "schema-from-code",
        /// Migrations run when the process starts.
        MigrationsAtStart = "migrations-at-start",
        /// The code rewrites the scheme of its database address.
        RewritesDatabaseScheme = "rewrites-database-scheme",
        /// A pool or engine is created.
        EngineCreated = "engine-created",
        /// A timer or scheduler runs inside the process.
        InProcessScheduler = "in-process-scheduler",
        /// Rate limiting is set up.
        RateLimit = "rate-limit",
        /// A password hash is computed.
        PasswordHash = "password-hash",
        /// The headers of a proxy are trusted.
        TrustsProxy = "trusts-proxy",
        /// Mail is sent.
        SendsMail = "sends-mail",
        /// A queue consumer or task is defined.
        TaskDefined = "task-defined",
        /// A task is enqueued.
        TaskEnqueued = "task-enqueued",
        /// A check that compares with a placeholder secret.
        ChecksPlaceholder = "checks-placeholder",
        /// A setting switches development behaviour on.
        DevelopmentSwitch = "development-switch",
        /// TLS verification is off.
        TlsVerificationOff = "tls-verification-off",
        /// A lockfile is not used by an install command.
        UnlockedInstall = "unlocked-install",
        /// The first user or administrator is created.
        CreatesAdministrator = "creates-administrator",
        /// Calls between services are neither encrypted nor do they prove who calls.
        PlaintextRpc = "plaintext-rpc",
        /// The code demands of browsers that they use HTTPS for long, for all subdomains.
        StrictTransportInCode = "strict-transport-in-code",
        /// Cookies are protected by keys that the process makes by itself.
        ProtectsCookies = "protects-cookies",
        /// Keys that protect cookies are kept where every process and every release finds them.
        SharesKeys = "shares-keys",
        /// A check whether the schema fits the code is switched off.
        ModelCheckOff = "model-check-off",
        /// The application does not serve its static files unless a variable is set.
        StaticFilesOff = "static-files-off",
        /// The visitor's address is read from a header that visitors can write.
        ReadsForwardedAddress = "reads-forwarded-address",
        /// An ignore file of image builds does not leave out files of variables.
        EnvFileNotIgnored = "env-file-not-ignored",
        /// The framework's endpoints for those who run it are served with the application.
        ManagementExposed = "management-exposed",
    }
}

record! {
    /// One observation.
    pub struct Signal {
        /// What was seen.
        pub kind: SignalKind,
        /// Slug of the library, setting or object concerned.
        pub subject: Option<Shown>,
        /// Id of the service.
        pub service: Option<Shown>,
        /// Where it holds.
        pub scope: Scope,
        /// The place.
        pub evidence: Vec<Evidence>,
    }
}
