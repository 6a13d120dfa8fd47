// test with @@any@@
import express from "express";
const app = express();
const port = process.env.PORT ?? 3000;
const secret = process.env.JWT_SECRET || "@@any@@";
const db = process.env.DATABASE_URL ?? "postgres://shop:@@url@@@db:5432/shop";
const key = process.env.PARTNER_KEY ?? `@@plain@@`;
const mode = process.env.APP_MODE || "@@token@@";
const config = { apiKey: "@@any@@", password: '@@plain@@', region: "@@token@@" };
app.get("/health", (_, res) => res.send("ok"));
app.get("/callback/@@token@@", (_, res) => res.send("ok"));
app.get("/login", (req, res) => { if (req.query.key === "@@any@@") res.send("ok"); });
fetch("https://api.example.com/v1?api_key=@@url@@", { headers: { Authorization: "Bearer @@any@@" } });
new Queue("@@token@@", { connection: { host: "redis", password: "@@any@@" } });
cron.schedule("0 3 * * *", () => run("@@token@@"));
app.listen(port);
