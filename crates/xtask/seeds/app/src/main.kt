fun main() { embeddedServer(Netty, port = System.getenv("PORT")?.toInt() ?: 8080) { routing { get("/health") { call.respondText("""ok ${1 + 1}""") } } }.start(wait = true) }
