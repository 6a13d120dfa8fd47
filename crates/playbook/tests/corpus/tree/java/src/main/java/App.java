public class App {
  // @@any@@
  @Value("${jwt.secret:@@plain@@}") String secret;
  @Value("${app.name:@@token@@}") String name;
  static final String PASSWORD = "@@any@@";
  String url = System.getenv().getOrDefault("DB_URL", "jdbc:postgresql://db/x?password=@@url@@");
  @GetMapping("/api/@@token@@") String get() { return ""; }
  @Scheduled(cron = "0 0 3 * * *", zone = "@@token@@") void run() {}
}
