use axum::{Router, routing::get};
#[tokio::main]
async fn main() {
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let app = Router::new().route("/health", get(|| async { r#"{"ok":true}"# })).nest("/api", api());
    axum::serve(tokio::net::TcpListener::bind(format!("0.0.0.0:{port}")).await.unwrap(), app).await.unwrap();
}
#[cfg(test)]
mod tests { #[test] fn a() { let c = 'x'; let l: &'static str = "a"; } }
