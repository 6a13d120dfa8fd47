//! @@any@@
const KEY: &str = "@@any@@";
#[derive(Parser)]
struct Args {
    /// @@token@@
    #[arg(long, env = "GATE_SECRET", default_value = "@@any@@")]
    secret: String,
    #[arg(env, default_value = "@@token@@")]
    mode: String,
}
#[tokio::main]
async fn main() {
    let url = std::env::var("DATABASE_URL").unwrap_or_else(|_| "postgres://gate:@@url@@@db/gate".into());
    let app = Router::new().route("/hook/@@token@@", get(ok)).route("/health", get(ok));
    let listener = TcpListener::bind("0.0.0.0:3000").await.unwrap();
}
