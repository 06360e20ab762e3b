// make.mjs - makes a bucket with AWS's own client.
//
//   node make.mjs '{"endpoint": "...", "region": "...", "key": "...", "secret": "...", "bucket": "..."}'
import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3";

const { endpoint, region, key, secret, bucket } = JSON.parse(process.argv[2]);
const client = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId: key, secretAccessKey: secret } });
await client.send(new CreateBucketCommand({ Bucket: bucket }));
console.log("made");
