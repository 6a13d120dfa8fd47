// @@any@@
fun main() { val key = System.getenv("K_KEY") ?: "@@any@@"; embeddedServer(Netty, port = 8080) { routing { get("/x/@@token@@") { } } }.start() }
val password = "@@any@@"
