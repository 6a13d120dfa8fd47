plugins { id("org.springframework.boot") version "3.4.0"; kotlin("jvm") version "2.1.0" }
java { toolchain { languageVersion = JavaLanguageVersion.of(21) } }
dependencies { implementation("org.springframework.boot:spring-boot-starter-web"); runtimeOnly("org.postgresql:postgresql:42.7.4") }
