// WorkOS' Node SDK, driven from outside: a line of JSON in is a call, a line of JSON out is what came of it.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [folder, apiKey, host, port] = process.argv.slice(2);
const { WorkOS } = createRequire(`${folder}/`)("@workos-inc/node");
const workos = new WorkOS(apiKey, { apiHostname: host, port: Number(port), https: false });

const calls = {
  enroll: (options) => workos.multiFactorAuth.enrollFactor(options),
  challenge: (options) => workos.multiFactorAuth.challengeFactor(options),
  verify: (options) => workos.multiFactorAuth.verifyChallenge(options),
  get: ({ id }) => workos.multiFactorAuth.getFactor(id),
  delete: ({ id }) => workos.multiFactorAuth.deleteFactor(id),
  create: (options) => workos.multiFactorAuth.createUserAuthFactor(options),
  list: async (options) => {
    const page = await workos.multiFactorAuth.listUserAuthFactors(options);
    return { data: page.data, listMetadata: page.listMetadata };
  },
  listAll: async (options) => (await workos.multiFactorAuth.listUserAuthFactors(options)).autoPagination(),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { call, options } = JSON.parse(line);
  let reply;
  try {
    reply = { result: (await calls[call](options)) ?? null };
  } catch (error) {
    reply = { error: { name: error.name, status: error.status, code: error.code, requestID: error.requestID, message: error.message } };
  }
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
