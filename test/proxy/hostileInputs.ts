import zlib from "node:zlib";
import { KEY } from "./hostileRig.ts";

/** Every kind of route that there is, and some that there are not. */
export const ROUTES = [
  "/health",
  "/v1/models",
  "/v1/models/x",
  "/v1/key",
  "/v1/chat/completions",
  "/v1/completions",
  "/v1/responses",
  "/v1/responses/compact",
  "/v1/embeddings",
  "/v1/files",
  "/api/proxy/openai",
  "/api/proxy/openai/v1/responses",
  "/api/proxy/openrouter/chat/completions",
  "/chat/completions",
  `/k/${KEY}/v1/chat/completions`,
  `/k/${KEY}/v1/models`,
  "/k/",
  "/k",
  "/",
  "/unknown",
];

const DEEP = 100_000;

/** Bodies that no endpoint wants, by what they are. */
export const BODIES: Readonly<Record<string, string | Buffer>> = {
  nothing: "",
  "no JSON": "nope",
  "half of an object": '{"model":"gpt-5.5","mess',
  "a lone brace": "{",
  "only blanks": " \n\t ".repeat(50),
  null: "null",
  "an array": "[]",
  "an array of requests": '[{"model":"gpt-5.5"}]',
  "a bare string": '"gpt-5.5"',
  "a bare number": "5",
  "a numeric model": '{"model":5}',
  "a null model": '{"model":null,"stream":true}',
  "an object for a model": '{"model":{"a":1}}',
  "an empty model": '{"model":""}',
  "a stream that is no boolean": '{"model":"gpt-5.5","stream":"yes","stream_options":7}',
  "wrong types everywhere": '{"model":[1],"stream":{},"stream_options":[],"messages":"x","input":3}',
  "a model twice": '{"model":"x-ai/grok","model":"gpt-5.5"}',
  "a model with control characters": '{"model":"a\\u0000b\\r\\nc\\u001b[2J"}',
  "a model with half a surrogate": '{"model":"\\ud800"}',
  "a model of 200 KB": `{"model":"${"m".repeat(200_000)}"}`,
  "a model of 2 MB": `{"model":"${"m".repeat(2_000_000)}"}`,
  "a key of 1 MB": `{"${"k".repeat(1_000_000)}":1,"model":"gpt-5.5"}`,
  "prototype pollution":
    '{"__proto__":{"model":"evil/x","quotaTokens":null},"constructor":{"prototype":{"isAdmin":true}},"model":"gpt-5.5"}',
  "arrays without end": "[".repeat(DEEP),
  "deep arrays in the model": `{"model":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}`,
  "deep objects": `${'{"a":'.repeat(DEEP)}1${"}".repeat(DEEP)}`,
  "deep stream options": `{"model":"gpt-5.5","stream":true,"stream_options":{"a":${"[".repeat(DEEP)}${"]".repeat(DEEP)}}}`,
  "closing braces only": "}".repeat(1000),
  "an endless number": `{"model":"gpt-5.5","n":${"9".repeat(100_000)}}`,
  "invalid UTF-8": Buffer.from([
    0x7b, 0x22, 0x6d, 0x6f, 0x64, 0x65, 0x6c, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0xc0, 0x22, 0x7d,
  ]),
  "a byte order mark": Buffer.from('\ufeff{"model":"gpt-5.5"}'),
  "UTF-16": Buffer.from('{"model":"gpt-5.5"}', "utf16le"),
  "zero bytes": Buffer.alloc(10_000),
};

const JSON_BODY = '{"model":"gpt-5.5","input":"x"}';
const BOMB_BYTES = 96 * 1024 * 1024;
const zeros = Buffer.alloc(BOMB_BYTES, 0x20);

/** Bodies with the encoding that they claim. */
export const ENCODED: Readonly<Record<string, readonly [string, Buffer]>> = {
  "an unknown encoding": ["nonsense", Buffer.from(JSON_BODY)],
  "an encoding of the prototype": ["__proto__", Buffer.from(JSON_BODY)],
  "an empty encoding": ["", Buffer.from(JSON_BODY)],
  "identity, said aloud": ["identity", Buffer.from(JSON_BODY)],
  "gzip that is none": ["gzip", Buffer.from(JSON_BODY)],
  "half of a gzip": ["gzip", zlib.gzipSync(Buffer.from(JSON_BODY.repeat(50))).subarray(0, 40)],
  "gzip within gzip": ["gzip, gzip", zlib.gzipSync(zlib.gzipSync(Buffer.from(JSON_BODY)))],
  "zstd that is none": ["zstd", Buffer.from(JSON_BODY)],
  "brotli that is none": ["br", Buffer.from(JSON_BODY)],
  "no bytes at all": ["gzip", Buffer.alloc(0)],
  "a gzip bomb": ["gzip", zlib.gzipSync(zeros)],
  "a zstd bomb": ["zstd", zlib.zstdCompressSync(zeros)],
  "a brotli bomb": ["br", zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
};

/** Methods that are rarely seen. */
export const METHODS = [
  "HEAD",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "PROPFIND",
  "SEARCH",
  "QUERY",
  "M-SEARCH",
];

/** The line that carries the local key. */
export const AUTHORIZATION = `authorization: Bearer ${KEY}`;

/** Requests that are wrong as HTTP; an answer of 4xx or a close is what they may get. */
export const BROKEN: Readonly<Record<string, string>> = {
  "a TLS hello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".padEnd(200, "\x00"),
  "a preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  "HTTP/0.9": "GET /health\r\n\r\n",
  "an unknown version": "GET /health HTTP/1.9\r\nhost: localhost\r\n\r\n",
  "an unknown method": "BREW /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n",
  "a method in small letters": "get /v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n",
  "two different lengths": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\n{}{}`,
  "the same length twice": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: 2\r\ncontent-length: 2\r\n\r\n{}`,
  "a list of lengths": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: 2, 2\r\n\r\n{}`,
  "a negative length": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: -1\r\n\r\n{}`,
  "a signed length": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: +2\r\n\r\n{}`,
  "a hexadecimal length": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: 0x2\r\n\r\n{}`,
  "an endless length": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: ${"9".repeat(30)}\r\n\r\n{}`,
  "chunks with a length": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  "a length with chunks": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  "chunks that are not last": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`,
  "chunks twice": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
  "chunks under a vertical tab": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ntransfer-encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  "a chunk without a size": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n`,
  "a chunk longer than its size": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}}}}}\r\n0\r\n\r\n`,
  "a chunk with an endless extension": `POST /v1/responses HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n2;${"x".repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
  "a bare line feed in a header": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: b\nx-injected: c\r\n\r\n",
  "a bare carriage return in a header": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: b\rx-injected: c\r\n\r\n",
  "a zero byte in a header": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: b\0c\r\n\r\n",
  "a folded header": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: b\r\n folded\r\n\r\n",
  "a blank before the colon": "GET /v1/models HTTP/1.1\r\nhost : localhost\r\n\r\n",
  "a header without a colon": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nnonsense\r\n\r\n",
  "a header without a name": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\n: x\r\n\r\n",
  "a flood of headers": `GET /v1/models HTTP/1.1\r\nhost: localhost\r\n${"x-a: b\r\n".repeat(20_000)}\r\n`,
  "a header of 100 KB": `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nx-a: ${"b".repeat(100_000)}\r\n\r\n`,
  "a zero byte in the path": `GET /v1/mo\0dels HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "a blank in the path": `GET /v1/mo dels HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "an absolute target": `GET http://evil.example/v1/models HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "an absolute target that is ours": `GET http://localhost/v1/models HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "a tunnel": `CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "an asterisk": `OPTIONS * HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "dots in the path": `GET /v1/../admin HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "escaped dots in the path": `GET /v1/%2e%2e/admin HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "dots behind escaped slashes": `GET /v1/x%2f%2e%2e%2f%2e%2e%2fadmin HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "dots behind a path key": `GET /k/${KEY}/v1/../../admin HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  "dots behind an upstream's name": `GET /api/proxy/openai/../openrouter/v1/models HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "backslashes in the path": `GET /v1\\..\\admin HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "a fragment in the target": `GET /v1/models#../x HTTP/1.1\r\nhost: evil.example\r\n${AUTHORIZATION}\r\n\r\n`,
  "no host": `GET /v1/models HTTP/1.1\r\n${AUTHORIZATION}\r\n\r\n`,
  "an empty host": `GET /v1/models HTTP/1.1\r\nhost:\r\n${AUTHORIZATION}\r\n\r\n`,
  "two hosts": `GET /v1/models HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n${AUTHORIZATION}\r\n\r\n`,
  "a foreign host": `GET /v1/models HTTP/1.1\r\nhost: evil.example\r\n${AUTHORIZATION}\r\n\r\n`,
  "a foreign host with ours behind it": `GET /v1/models HTTP/1.1\r\nhost: evil.example, localhost\r\n${AUTHORIZATION}\r\n\r\n`,
  "a host with an impossible port": `GET /v1/models HTTP/1.1\r\nhost: localhost:99999999\r\n${AUTHORIZATION}\r\n\r\n`,
  "a foreign origin": `GET /v1/models HTTP/1.1\r\nhost: localhost\r\norigin: https://evil.example\r\n${AUTHORIZATION}\r\n\r\n`,
  "a wrong key": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer pb_wrong\r\n\r\n",
  "a key in odd bytes": "GET /v1/models HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer \xff\xfe\r\n\r\n",
  "a wrong path key": "GET /k/pb_wrong/v1/models HTTP/1.1\r\nhost: localhost\r\n\r\n",
};
