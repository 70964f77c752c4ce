// azure-iothub, unmodified, as a back end: registry, modules, twins, methods, query, cloud-to-device and feedback.
"use strict";

const { Client, Registry } = require("azure-iothub");
const { Amqp } = require("azure-iothub/dist/amqp");
const { AmqpWs } = require("azure-iothub/dist/amqp_ws");
const { Message } = require("azure-iot-common");
const { HUB, Kept, ask, refused, run, same, step } = require("./steps");

const CONNECTION = HUB.service_connection_string;
const TRANSPORTS = { TLS: [Amqp, 5671, "amqp"], WebSocket: [AmqpWs, 443, "https"] };

async function identities(registry) {
  await step("registry: create a device", async () => {
    const { responseBody } = await registry.create({ deviceId: "node-1", status: "enabled", statusReason: "new" });
    same([responseBody.deviceId, responseBody.status, responseBody.statusReason], ["node-1", "enabled", "new"]);
  });
  await step("registry: empty keys are replaced by made ones", async () => {
    const { responseBody } = await registry.get("node-1");
    same(Buffer.from(responseBody.authentication.symmetricKey.primaryKey, "base64").length >= 16, true);
  });
  await step("registry: create a device with thumbprints", async () => {
    const x509Thumbprint = { primaryThumbprint: "A".repeat(40), secondaryThumbprint: "B".repeat(40) };
    const { responseBody } = await registry.create({ deviceId: "node-x509", authentication: { x509Thumbprint } });
    same(responseBody.authentication.type, "selfSigned");
  });
  await step("registry: the same device twice is refused", () =>
    refused(registry.create({ deviceId: "node-1" }), "DeviceAlreadyExistsError"));
  await step("registry: update a device", async () => {
    const { responseBody } = await registry.update({ deviceId: "node-1", status: "disabled", statusReason: "off" });
    same([responseBody.status, responseBody.statusReason], ["disabled", "off"]);
  });
  await step("registry: list devices", async () => {
    const names = (await registry.list()).responseBody.map((device) => device.deviceId);
    same([names.includes("node-1"), names.includes("node-x509")], [true, true]);
  });
  await step("registry: create, update and remove devices in bulk", async () => {
    const devices = [0, 1, 2, 3].map((number) => ({ deviceId: `node-bulk-${number}` }));
    same((await registry.addDevices(devices)).responseBody.isSuccessful, true);
    same((await registry.updateDevices([{ deviceId: "node-bulk-0", status: "disabled" }], true)).responseBody.isSuccessful, true);
    same((await registry.get("node-bulk-0")).responseBody.status, "disabled");
    same((await registry.removeDevices([devices[3]], true)).responseBody.isSuccessful, true);
  });
  await step("registry: a device that is gone is not found", async () => {
    await registry.delete("node-bulk-2");
    await refused(registry.get("node-bulk-2"), "DeviceNotFoundError");
  });
  await step("registry: statistics", async () => {
    const { responseBody } = await registry.getRegistryStatistics();
    same(responseBody.totalDeviceCount, (await registry.list()).responseBody.length);
  });
}

async function modules(registry) {
  await step("modules: create", async () => {
    const { responseBody } = await registry.addModule({ deviceId: "node-twin", moduleId: "m-1", managedBy: "someone" });
    same([responseBody.moduleId, responseBody.managedBy], ["m-1", "someone"]);
  });
  await step("modules: read and list", async () => {
    same((await registry.getModule("node-twin", "m-1")).responseBody.deviceId, "node-twin");
    same((await registry.getModulesOnDevice("node-twin")).responseBody.map((module) => module.moduleId), ["m-1"]);
  });
  await step("modules: update", async () => {
    const module = (await registry.getModule("node-twin", "m-1")).responseBody;
    same((await registry.updateModule({ ...module, managedBy: "other" }, true)).responseBody.managedBy, "other");
  });
  await step("modules: remove", async () => {
    await registry.addModule({ deviceId: "node-twin", moduleId: "m-2" });
    await registry.removeModule("node-twin", "m-2");
    // The package has an error of its own for a device that is not there, and a plain one for a module.
    await refused(registry.getModule("node-twin", "m-2"), "Not found");
  });
}

async function twins(registry) {
  await step("twin: read a new one", async () => {
    const twin = (await registry.getTwin("node-twin")).responseBody;
    same([twin.deviceId, twin.properties.desired.$version], ["node-twin", 1]);
  });
  await step("twin: update desired properties and tags", async () => {
    const twin = (await registry.getTwin("node-twin")).responseBody;
    const patch = { tags: { site: "north" }, properties: { desired: { rate: 5, mode: { a: 1 } } } };
    const changed = (await twin.update(patch)).result;
    same([changed.tags, changed.properties.desired.rate], [{ site: "north" }, 5]);
  });
  await step("twin: the device is told", async () => {
    const told = await ask("desired", { identity: "node-twin" });
    same([told.rate, told.mode, told.$version], [5, { a: 1 }, 2]);
  });
  await step("twin: an update with an old etag is refused", () =>
    refused(registry.updateTwin("node-twin", { tags: { site: "south" } }, "b2xk"), "InvalidEtagError"));
  await step("twin: what the device reports", async () => {
    same(await ask("report", { identity: "node-twin", reported: { seen: [1, 2] } }), 204);
    same((await registry.getTwin("node-twin")).responseBody.properties.reported.seen, [1, 2]);
  });
  await step("twin: of a module", async () => {
    await registry.updateModuleTwin("node-twin", "m-1", { properties: { desired: { own: 1 } } }, "*");
    same((await registry.getModuleTwin("node-twin", "m-1")).responseBody.properties.desired.own, 1);
  });
}

async function methods(client) {
  await step("methods: with a payload", async () => {
    const call = { methodName: "blink", payload: { times: [1, null, "ä"] }, responseTimeoutInSeconds: 10 };
    const { result } = await client.invokeDeviceMethod("node-twin", call);
    same([result.status, result.payload.method, JSON.parse(result.payload.body)], [201, "blink", call.payload]);
  });
  await step("methods: without a payload", async () => {
    const { result } = await client.invokeDeviceMethod("node-twin", { methodName: "blink" });
    same([result.status, result.payload.method], [201, "blink"]);
    same(["", "null"].includes(result.payload.body), true);
  });
  await step("methods: of a module", async () => {
    const { result } = await client.invokeDeviceMethod("node-twin", "m-1", { methodName: "reset", payload: 7 });
    same([result.status, result.payload.body], [201, "7"]);
  });
  await step("methods: a device that is not connected", () =>
    refused(client.invokeDeviceMethod("node-bulk-1", { methodName: "blink" }), "Not found"));
}

async function queries(registry) {
  await step("query: all devices in pages", async () => {
    const query = registry.createQuery("SELECT * FROM devices", 2);
    const names = [];
    while (query.hasMoreResults) {
      const page = (await query.nextAsTwin()).result;
      same(page.length <= 2, true);
      names.push(...page.map((twin) => twin.deviceId));
    }
    same(names.sort(), (await registry.list()).responseBody.map((device) => device.deviceId).sort());
  });
  await step("query: a condition", async () => {
    await registry.updateTwin("node-bulk-1", { tags: { floor: 33 } }, "*");
    const found = (await registry.createQuery("SELECT * FROM devices WHERE tags.floor = 33").nextAsTwin()).result;
    same(found.map((twin) => twin.deviceId), ["node-bulk-1"]);
  });
  await step("query: what is not understood is refused", () =>
    refused(registry.createQuery("SELEKT everything").next(), "ArgumentError"));
}

async function cloudToDevice(how, transport) {
  const client = Client.fromConnectionString(CONNECTION, transport);
  const feedback = new Kept();
  await step(`cloud-to-device over ${how}: open`, () => client.open());
  await step(`cloud-to-device over ${how}: feedback receiver`, async () => {
    const receiver = (await client.getFeedbackReceiver()).result;
    receiver.on("message", (message) => {
      receiver.complete(message, () => feedback.put(JSON.parse(message.data.toString())));
    });
  });
  await step(`cloud-to-device over ${how}: a message with every property`, async () => {
    // The package has a userId in its message and never sends it.
    const message = new Message(`body over ${how}`);
    Object.assign(message, {
      messageId: `m ${how}`,
      correlationId: "c/1",
      contentType: "application/json",
      contentEncoding: "utf-8",
      expiryTimeUtc: Date.now() + 600000,
      ack: "full",
    });
    message.properties.add("name", "São Paulo & more");
    await client.send("node-twin", message);
    const { bag, body } = await ask("message", { identity: "node-twin" });
    same(body, `body over ${how}`);
    same(
      [bag["$.mid"], bag["$.cid"], bag["$.ct"], bag["$.ce"], bag["iothub-ack"], bag.name],
      [`m ${how}`, "c/1", "application/json", "utf-8", "full", "São Paulo & more"],
    );
  });
  await step(`cloud-to-device over ${how}: feedback says success`, async () => {
    const records = await feedback.take();
    const record = records.find((one) => one.originalMessageId === `m ${how}`);
    same([record.deviceId, record.statusCode.toLowerCase()], ["node-twin", "success"]);
  });
  await step(`cloud-to-device over ${how}: 50 messages keep their order`, async () => {
    for (let number = 0; number < 50; number += 1) {
      await client.send("node-twin", String(number));
      same((await ask("message", { identity: "node-twin" })).body, String(number));
    }
  });
  await step(`cloud-to-device over ${how}: an unknown device is refused`, () =>
    refused(client.send("nobody", "lost"), "DeviceNotFoundError"));
  await step(`cloud-to-device over ${how}: close`, () => client.close());
}

run(async () => {
  const registry = Registry.fromConnectionString(CONNECTION);
  await identities(registry);
  await step("set the stage: node-twin connects", async () => {
    await ask("create", { identity: "node-twin" });
    await ask("connect", { identity: "node-twin" });
  });
  await modules(registry);
  await step("set the stage: node-twin/m-1 connects", async () => {
    const module = (await registry.getModule("node-twin", "m-1")).responseBody;
    await ask("connect", { identity: "node-twin/m-1", key: module.authentication.symmetricKey.primaryKey });
  });
  await twins(registry);
  await methods(Client.fromConnectionString(CONNECTION, Amqp));
  await queries(registry);
  for (const [how, [transport, port, name]] of Object.entries(TRANSPORTS)) {
    if (HUB.ports[name] === port) await cloudToDevice(how, transport);
  }
});
