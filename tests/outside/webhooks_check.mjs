// Webhooks that the binary has sent, checked by npm's standardwebhooks and svix, and Node's own Ed25519.

import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import * as standard from "standardwebhooks";
import * as svix from "svix";

const told = JSON.parse(readFileSync(process.argv[2], "utf8"));

for (const [name, { Webhook }] of Object.entries({ standardwebhooks: standard, svix })) {
  const webhook = new Webhook(told.secret);
  for (const { body, headers } of told.shared) {
    if (webhook.verify(body, headers).type !== "decision.created") throw new Error(body);
    let taken = true;
    try {
      webhook.verify(body.replace("hook-", "hock-"), headers);
    } catch {
      taken = false;
    }
    if (taken) throw new Error(`${name} takes another body`);
  }
  console.log(`ok ${name} verifies`);
}

const x = Buffer.from(told.public.replace("whpk_", ""), "base64").toString("base64url");
const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
for (const { body, headers } of told.by_public) {
  const [version, signature] = headers["webhook-signature"].split(",");
  const content = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
  const holds = (text) => verify(null, Buffer.from(text), key, Buffer.from(signature, "base64"));
  if (version !== "v1a" || !holds(content) || holds(`${content} `)) throw new Error(body);
}
console.log("ok node verifies v1a");
