// azure-iot-device-mqtt, unmodified, as devices and modules: MQTT and WebSocket, connection string, SAS and X.509.
"use strict";

const { readFileSync } = require("node:fs");
const { Client, ModuleClient, SharedAccessKeyAuthenticationProvider } = require("azure-iot-device");
const { Mqtt, MqttWs } = require("azure-iot-device-mqtt");
const { Message, NoRetry } = require("azure-iot-common");
const { version } = require("azure-iot-device/package.json");
const { HUB, Kept, ask, refused, run, same, step } = require("./steps");

const OF_2019 = version === "1.11.2";
const TRANSPORTS = { MQTT: Mqtt, WebSocket: MqttWs };

function host(transport) {
  // Over WebSocket the package goes to port 443 whatever the connection string says.
  return transport === "WebSocket" ? HUB.host : `${HUB.host}:${HUB.ports.mqtt}`;
}

function connectionString(transport, identity, credential) {
  const [deviceId, moduleId] = identity.split("/");
  const module = moduleId ? `;ModuleId=${moduleId}` : "";
  return `HostName=${host(transport)};DeviceId=${deviceId}${module};${credential}`;
}

async function create(identity, by) {
  if (identity.includes("/")) await ask("create", { identity: identity.split("/")[0] });
  return ask("create", { identity, by });
}

function everything(way) {
  const message = new Message(`é ${way}`);
  Object.assign(message, {
    messageId: "m 1",
    correlationId: "c/1",
    userId: "u&1",
    contentType: "application/json",
    contentEncoding: "utf-8",
  });
  message.properties.add("alarm", "yes");
  message.properties.add("São", "a=b&c d/e+f%");
  return message;
}

async function telemetry(way, identity, client, type) {
  await step(`${way}: telemetry with every property`, async () => {
    await client.sendEvent(everything(way));
    const event = await ask("telemetry", { identity, body: `é ${way}` });
    same(
      ["message-id", "correlation-id", "user-id", "content-type", "content-encoding"].map((name) => event.system[name]),
      ["m 1", "c/1", "u&1", "application/json", "utf-8"],
    );
    same([event.properties.alarm, event.properties["São"]], ["yes", "a=b&c d/e+f%"]);
    same(JSON.parse(event.system["iothub-connection-auth-method"]).type, type);
  });
}

async function cloudToDevice(way, identity, client, messages) {
  await step(`${way}: cloud-to-device with every property`, async () => {
    await ask("cloud_to_device", {
      identity,
      body: "ö",
      properties: { "a b": "c=d&e/ü" },
      message_id: "m 2",
      correlation_id: "c/2",
      user_id: "u&2",
      content_type: "text/plain",
      content_encoding: "utf-8",
    });
    const message = await messages.take();
    await client.complete(message);
    same(message.data.toString(), "ö");
    same(
      [message.messageId, message.correlationId, message.userId, message.contentType, message.contentEncoding],
      ["m 2", "c/2", "u&2", "text/plain", "utf-8"],
    );
    same(message.properties.getValue("a b"), "c=d&e/ü");
  });
}

async function twins(way, identity, client) {
  let twin;
  const desired = new Kept();
  await step(`${way}: twin get`, async () => {
    twin = await client.getTwin();
    same([twin.properties.desired.$version, twin.properties.reported.$version], [1, 1]);
  });
  await step(`${way}: twin reported`, async () => {
    await new Promise((resolve, reject) => {
      twin.properties.reported.update({ speed: { now: 5, unit: "m/s" } }, (error) => (error ? reject(error) : resolve()));
    });
    same((await ask("twin", { identity })).properties.reported.speed, { now: 5, unit: "m/s" });
  });
  await step(`${way}: twin desired`, async () => {
    // The package hands over what it has at once, and each change after that.
    const subscribed = new Promise((resolve) => {
      twin.on("properties.desired", (patch) => {
        desired.put(patch);
        resolve();
      });
    });
    await subscribed;
    await client.getTwin();
    await ask("desire", { identity, desired: { rate: 7 } });
    let patch = await desired.take();
    while (!("rate" in patch)) patch = await desired.take();
    same([patch.rate, patch.$version], [7, 2]);
  });
}

async function methods(way, identity, when = "") {
  await step(`${way}: method with payload${when}`, async () => {
    const result = await ask("method", { identity, name: "turn", payload: { to: ["ü", 1, null] } });
    same(result, { status: 207, payload: { name: "turn", payload: { to: ["ü", 1, null] } } });
  });
  // The package of 2019 throws out of its own event handler where the body is empty, which ends the process.
  if (OF_2019) return;
  await step(`${way}: method without payload${when}`, async () => {
    const result = await ask("method", { identity, name: "stop" });
    // No payload is an empty body, and that the package itself refuses: it parses JSON before it asks its user.
    same(result, { status: 400, payload: "Invalid request format: Unexpected end of JSON input" });
  });
}

function answerMethods(client, register) {
  for (const name of ["turn", "stop"]) {
    client[register](name, (request, response) => {
      response.send(207, { name, payload: request.payload ?? null }, () => {});
    });
  }
}

async function drop(way, identity, client) {
  await step(`${way}: reconnect after a drop`, async () => {
    // The package of 2019 tells nobody when it is connected again: there the back end waits for the device.
    const connected = OF_2019 ? null : new Promise((resolve) => client.once("connect", resolve));
    await ask("drop", { identity });
    if (OF_2019) await ask("method", { identity, name: "turn", payload: {}, connectTimeoutInSeconds: 20 });
    await connected;
    await client.sendEvent(new Message(`again ${way}`));
    await ask("telemetry", { identity, body: `again ${way}` });
  });
}

async function fullRound(transport, kind) {
  const way = `${transport} ${kind} by key`;
  const identity = `node-${version}-${transport}-${kind}-key${kind === "module" ? "/m-1" : ""}`;
  const messages = new Kept();
  let client;
  await step(`${way}: connect`, async () => {
    const { key } = await create(identity, "key");
    const text = connectionString(transport, identity, `SharedAccessKey=${key}`);
    client = (kind === "device" ? Client : ModuleClient).fromConnectionString(text, TRANSPORTS[transport]);
    await client.open();
  });
  await telemetry(way, identity, client, "sas");
  if (kind === "device") {
    client.on("message", (message) => messages.put(message));
    await cloudToDevice(way, identity, client, messages);
  }
  await twins(way, identity, client);
  answerMethods(client, kind === "device" ? "onDeviceMethod" : "onMethod");
  // The package does not say when it has subscribed; an answer on the same connection comes after that.
  await client.getTwin();
  await methods(way, identity);
  await drop(way, identity, client);
  await methods(way, identity, " after a drop");
  await step(`${way}: disconnect`, () => client.close());
}

async function byCertificate(transport) {
  const way = `${transport} device by certificate`;
  const identity = `node-${version}-${transport}-device-certificate`;
  let client;
  await step(`${way}: connect`, async () => {
    const files = await create(identity, "certificate");
    client = Client.fromConnectionString(connectionString(transport, identity, "x509=true"), TRANSPORTS[transport]);
    await client.setOptions({ cert: readFileSync(files.certificate, "utf-8"), key: readFileSync(files.key, "utf-8") });
    await client.open();
  });
  await telemetry(way, identity, client, "x509Certificate");
  await step(`${way}: disconnect`, () => client.close());
}

async function byToken(transport) {
  const way = `${transport} device by token`;
  const identity = `node-${version}-${transport}-device-token`;
  let client;
  await step(`${way}: connect`, async () => {
    await create(identity, "key");
    const token = await ask("token", { identity, seconds: 3600, host: host(transport) });
    client = Client.fromSharedAccessSignature(token, TRANSPORTS[transport]);
    await client.open();
  });
  await telemetry(way, identity, client, "sas");
  await step(`${way}: disconnect`, () => client.close());
}

// An id as firmware makes it of its network address.
async function withColons(transport) {
  const way = `${transport} device with colons in its id`;
  const identity = `${transport === "MQTT" ? "00:11" : "00:22"}:22:33:44:${version.replaceAll(".", ":")}`;
  const messages = new Kept();
  let client;
  await step(`${way}: connect`, async () => {
    const { key } = await create(identity, "key");
    client = Client.fromConnectionString(connectionString(transport, identity, `SharedAccessKey=${key}`), TRANSPORTS[transport]);
    await client.open();
  });
  await telemetry(way, identity, client, "sas");
  client.on("message", (message) => messages.put(message));
  await cloudToDevice(way, identity, client, messages);
  answerMethods(client, "onDeviceMethod");
  await client.getTwin();
  await methods(way, identity);
  await step(`${way}: disconnect`, () => client.close());
}

async function renewal(transport) {
  const way = `${transport} device by key with a short life`;
  const identity = `node-${version}-${transport}-device-renewal`;
  let client;
  await step(`${way}: SAS renewal`, async () => {
    const { key } = await create(identity, "key");
    const text = connectionString(transport, identity, `SharedAccessKey=${key}`);
    const provider = SharedAccessKeyAuthenticationProvider.fromConnectionString(text, 3, 1);
    client = Client.fromAuthenticationProvider(provider, TRANSPORTS[transport]);
    await client.open();
    // A new token is a new connection over MQTT.
    const renewed = new Promise((resolve) => provider.once("newTokenAvailable", resolve));
    await renewed;
    await client.sendEvent(new Message(`renewed ${way}`));
    await ask("telemetry", { identity, body: `renewed ${way}` });
    await client.close();
  });
}

async function idle() {
  const identity = `node-${version}-idle`;
  await step("connect", async () => {
    const { key } = await create(identity, "key");
    const client = Client.fromConnectionString(connectionString("MQTT", identity, `SharedAccessKey=${key}`), Mqtt);
    await client.open();
    answerMethods(client, "onDeviceMethod");
    await client.getTwin();
  });
  const [before, after] = await ask("silence", { identity, seconds: HUB.idle });
  await step("stays connected through the silence, and answers a method", async () => {
    same(after, before);
    same((await ask("method", { identity, name: "turn", payload: 1 })).status, 207);
  });
}

run(async () => {
  if (HUB.idle) return idle();
  for (const transport of Object.keys(TRANSPORTS)) {
    if (transport === "WebSocket" && HUB.ports.https !== 443) continue;
    await fullRound(transport, "device");
    await fullRound(transport, "module");
    await byCertificate(transport);
    await byToken(transport);
    await withColons(transport);
    await renewal(transport);
    await step(`${transport} device by a wrong key: is refused`, async () => {
      await create(`node-${version}-${transport}-wrong`, "key");
      const text = connectionString(transport, `node-${version}-${transport}-wrong`, "SharedAccessKey=d3Jvbmc=");
      const client = Client.fromConnectionString(text, TRANSPORTS[transport]);
      client.setRetryPolicy(new NoRetry());
      await refused(client.open(), OF_2019 ? "Connection refused: Not authorized" : "UnauthorizedError");
    });
  }
});
