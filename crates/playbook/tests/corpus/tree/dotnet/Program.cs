// @@any@@
var builder = WebApplication.CreateBuilder(args);
var key = builder.Configuration["Jwt:Key"] ?? "@@any@@";
var db = Environment.GetEnvironmentVariable("DB") ?? "Host=db;Password=@@conn@@";
var app = builder.Build();
app.MapGet("/x/@@token@@", () => "ok");
app.MapHealthChecks("/health");
app.Run();
