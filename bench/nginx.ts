import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { startChild } from "./children.ts";
import { CHAT_PATH, type Contestant } from "./contestants.ts";
import { freePort, untilOpen } from "./ports.ts";

/** nginx as a reverse proxy without buffering; undefined where it is not installed. */
export async function startNginx(upstreamPort: number, directory: string): Promise<Contestant | undefined> {
  if (spawnSync("nginx", ["-v"]).error !== undefined) return undefined;
  const port = await freePort();
  const file = join(directory, "nginx.conf");
  writeFileSync(file, configuration(upstreamPort, port, directory));
  const child = startChild("nginx", ["-c", file], { stdio: "ignore" });
  await untilOpen(port);
  return { child, port, path: CHAT_PATH, headers: {} };
}

function configuration(upstreamPort: number, port: number, directory: string): string {
  return `daemon off; master_process off; pid ${directory}/nginx.pid; error_log ${directory}/nginx.log;
events { worker_connections 4096; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy; fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi; scgi_temp_path ${directory}/scgi;
  upstream fake { server 127.0.0.1:${upstreamPort}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://fake; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off; proxy_read_timeout 1h;
    }
  }
}
`;
}
