object Main extends App { val port = sys.env.getOrElse("PORT", "9000").toInt; println(s"${port} ${"nested " + s"$port"}") }
