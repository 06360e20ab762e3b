// A program that submits, waits and downloads with nothing but types that were generated: it is compiled, not run.
import createClient from "openapi-fetch";
import type { components, paths } from "./any.js";
import type { paths as FluxPaths } from "./flux.js";

type Job = components["schemas"]["Job"];

const api = createClient<paths>({ baseUrl: "http://127.0.0.1:8001", headers: { "X-API-Key": "KEY" } });
const flux = createClient<FluxPaths>({ baseUrl: "http://127.0.0.1:8001" });

async function submit(prompt: string): Promise<string> {
  const { data, error } = await flux.POST("/api/providers/image/fal/submit", {
    params: { header: { "Idempotency-Key": prompt } },
    body: { model: "fal-ai/flux/schnell", prompt, parameters: { samples: 2, steps: 4 }, dry_run: false, max_cost_usd: 0.05 },
  });
  if (error) throw new Error(`${error.status} ${error.detail} ${error.errors?.map((e) => e.path).join()}`);
  if (!data.job_id) throw new Error("a submit has a job");
  return data.job_id;
}

async function ended(job_id: string): Promise<Job> {
  for (;;) {
    const { data, error, response } = await api.GET("/api/jobs/status/{job_id}", { params: { path: { job_id } } });
    if (response.status === 503) await new Promise((done) => setTimeout(done, 1000 * Number(response.headers.get("Retry-After"))));
    else if (error) throw new Error(error.detail);
    else if (data && data.status !== "queued" && data.status !== "running") return data;
    else await new Promise((done) => setTimeout(done, 1000));
  }
}

async function download(job: Job): Promise<Uint8Array[]> {
  const files: Uint8Array[] = [];
  for (const { n, url } of job.artifacts) {
    if (n === undefined || url === undefined) continue;
    const { data } = await api.GET("/api/jobs/{job_id}/artifacts/{n}", {
      params: { path: { job_id: job.job_id, n } }, parseAs: "arrayBuffer",
    });
    if (data) files.push(new Uint8Array(data as ArrayBuffer));
  }
  return files;
}

const job = await ended(await submit("a lighthouse"));
const files = await download(job);
console.log(job.status, job.money?.spent_usd, files.length);

// What is wrong must not compile.
// @ts-expect-error: steps is a number
void flux.POST("/api/providers/image/fal/submit", { body: { model: "fal-ai/flux/schnell", prompt: "", parameters: { steps: "4" } } });
// @ts-expect-error: the prompt is missing
void flux.POST("/api/providers/image/fal/submit", { body: { model: "fal-ai/flux/schnell" } });
// @ts-expect-error: there is no such path
void api.GET("/api/jobs/nothing");
// @ts-expect-error: there is no such status
void (job.status === "finished");
