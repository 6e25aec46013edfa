// A server with better-auth's password reset, as its documentation sets it up: POST /api/auth/request-password-reset.
//
// The mail is not awaited: better-auth.com/docs/authentication/email-password warns that the time of an answer would show who has an account. What
// differs from that page: no rate limit, as for all programs that are measured, and connections to the SMTP server are kept. `node server.js migrate`
// makes the tables and ends. The database comes from pg's own variables (PGHOST and so on).
import { webcrypto } from "node:crypto";
import { createServer } from "node:http";
import { betterAuth } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import { toNodeHandler } from "better-auth/node";
import nodemailer from "nodemailer";
import pg from "pg";

// Node.js 18, which Debian 12 has, does not have it as a global.
globalThis.crypto ??= webcrypto;

const { PORT, SMTP_PORT } = process.env;
const mails = nodemailer.createTransport({ host: "127.0.0.1", port: Number(SMTP_PORT), secure: false, pool: true });

const options = {
  baseURL: `http://127.0.0.1:${PORT}`,
  database: new pg.Pool(),
  rateLimit: { enabled: false },
  emailAndPassword: {
    enabled: true,
    sendResetPassword: async ({ user, url }) => {
      void mails.sendMail({
        from: "no-reply@shop.example",
        to: user.email,
        subject: "Reset your password",
        text: `Click the link to reset your password: ${url}`,
      });
    },
  },
};

if (process.argv[2] === "migrate") {
  await (await getMigrations(options)).runMigrations();
  process.exit(0);
}
createServer(toNodeHandler(betterAuth(options))).listen(Number(PORT), "127.0.0.1");
