// read.mjs - reads an object of a bucket with AWS's own client, and tells its bytes and its SHA-256.
//
//   node read.mjs '{"endpoint": "...", "region": "...", "key": "...", "secret": "...", "bucket": "...", "name": "...", "path_style": true}'
import { GetObjectCommand, HeadObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { createHash } from "node:crypto";

const { endpoint, region, key, secret, bucket, name, path_style } = JSON.parse(process.argv[2]);
const client = new S3Client({ endpoint, region, forcePathStyle: path_style, credentials: { accessKeyId: key, secretAccessKey: secret } });
const place = { Bucket: bucket, Key: name };
const head = await client.send(new HeadObjectCommand(place)), found = await client.send(new GetObjectCommand(place));
const bytes = await found.Body.transformToByteArray();
console.log(JSON.stringify({ bytes: bytes.length, length: head.ContentLength, type: found.ContentType, sha256: createHash("sha256").update(bytes).digest("hex") }));
