// Runs the engine of a page in Node: jobs as JSON on standard input, results as JSON on standard output.
const fs = require("fs");
const vm = require("vm");

const html = fs.readFileSync(process.argv[2], "utf8");
const inside = (id) => html.match(new RegExp(`<(script|template) id="${id}">([^]*?)</\\1>`))[2];

vm.runInThisContext(inside("engine"));
vm.runInThisContext(`
async function answered(base64, jobs) {
  const model = await modelFrom(base64);
  return jobs.map((job) => {
    if (job.kind === "random") {
      const twister = new Twister(job.seed);
      return Array.from({ length: job.many }, () => twister.random());
    }
    if (job.kind === "logs") return [...new Uint32Array(LOGS.buffer)];
    if (job.kind === "seed") return readSeed(job.seed, model);
    const writer = new Writer(model, { ...job, seed: readSeed(job.seed, model) }, job.compiled);
    let text = "";
    while (!writer.ended) text += writer.next();
    return { seed: writer.seed, text, compiled: Boolean(writer.network.products.compiled) };
  });
}
`);
const jobs = JSON.parse(fs.readFileSync(0, "utf8"));
answered(inside("model"), jobs).then((results) => process.stdout.write(JSON.stringify(results)));
