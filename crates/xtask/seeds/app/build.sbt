name := "api"
scalaVersion := "3.5.2"
libraryDependencies ++= Seq("com.typesafe.play" %% "play" % "2.9.5", "org.postgresql" % "postgresql" % "42.7.4")
