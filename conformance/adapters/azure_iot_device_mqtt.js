// azure-iot-device-mqtt, Microsoft's device for Node, as it is, behind orders on stdin and events on stdout.
//
// It wants azure-iot-device and azure-iot-device-mqtt where Node finds them (NODE_PATH). GatewayHostName in the
// connection string leads it to the tap; HostName stays in Username and token. Its public interface alone is used.
"use strict";

const { readFileSync } = require("node:fs");
const { createInterface } = require("node:readline");
const { Client, ModuleClient } = require("azure-iot-device");
const { Mqtt } = require("azure-iot-device-mqtt");
const { Message } = require("azure-iot-common");
const { version } = require("azure-iot-device-mqtt/package.json");

// The package has no word for calls of any name: each has its handler. These are the suite's.
const METHODS = ["reboot", "first", "second"];
// Nor does it say when the hub has granted a subscription: it is given this long, in milliseconds.
const GRANTED = 500;
const SYSTEM = {
  message_id: "messageId",
  correlation_id: "correlationId",
  user_id: "userId",
  content_type: "contentType",
  content_encoding: "contentEncoding",
};

const told = process.env;
const calls = new Map();

function tell(event, says = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...says })}\n`);
}

function create() {
  const string = told.IOTHUB_DEVICE_CONNECTION_STRING;
  const kind = string.includes("ModuleId=") ? ModuleClient : Client;
  const gateway = `GatewayHostName=${told.IOTHUB_ADDRESS}:${told.IOTHUB_MQTT_PORT}`;
  return kind.fromConnectionString(`${string};${gateway}`, Mqtt);
}

const client = create();
const keepalive = Number(process.argv[process.argv.indexOf("--keep-alive") + 1]) || undefined;
const ready = client.setOptions({ ca: readFileSync(told.IOTHUB_CA_FILE, "utf-8"), keepalive });
let hasOpened = false;
client.on("connect", () => hasOpened && tell("connected"));
client.on("disconnect", () => tell("disconnected"));
client.on("error", () => {});

function onMessage(message) {
  const properties = Object.fromEntries(message.properties.propertyList.map(({ key, value }) => [key, value]));
  const system = {};
  for (const [name, own] of Object.entries(SYSTEM)) if (message[own]) system[name] = message[own];
  tell("message", { body: Buffer.from(message.data).toString("base64"), properties, system });
  client.complete(message, () => {});
}

function onMethod(request, response) {
  calls.set(request.requestId, response);
  tell("method", { request: request.requestId, name: request.methodName, payload: request.payload ?? null });
}

async function listenToDesired() {
  const twin = await client.getTwin();
  let hasState = false;
  twin.on("properties.desired", ({ $version, ...patch }) => {
    // The first is no change: what is there already is handed over when a handler is set.
    if (hasState) tell("desired", { patch, version: $version });
    hasState = true;
  });
}

const orders = {
  async connect() {
    await ready;
    await client.open();
    hasOpened = true;
    return ["connected"];
  },
  async disconnect() {
    await client.close();
    return ["disconnected"];
  },
  async listen({ to }) {
    for (const kind of to) {
      if (kind === "messages") client.on("message", onMessage);
      if (kind === "desired") await listenToDesired();
      if (kind === "methods") for (const name of METHODS) client[client.onDeviceMethod ? "onDeviceMethod" : "onMethod"](name, onMethod);
    }
    await new Promise((resolve) => setTimeout(resolve, GRANTED));
    return ["listening"];
  },
  async send({ body, properties = {}, system = {} }) {
    const message = new Message(Buffer.from(body, "base64"));
    for (const [name, value] of Object.entries(properties)) message.properties.add(name, value);
    for (const [name, value] of Object.entries(system)) message[SYSTEM[name]] = value;
    await client.sendEvent(message);
    return ["sent"];
  },
  async get_twin() {
    const { desired, reported } = (await client.getTwin()).properties;
    return ["twin", { twin: { desired, reported } }];
  },
  async patch_reported({ patch }) {
    const twin = await client.getTwin();
    await new Promise((resolve, reject) => {
      twin.properties.reported.update(patch, (error) => (error ? reject(error) : resolve()));
    });
    return ["patched"];
  },
  async answer_method({ request, status, payload }) {
    await new Promise((resolve, reject) => {
      calls.get(request).send(status, payload ?? undefined, (error) => (error ? reject(error) : resolve()));
    });
    return ["answered"];
  },
};

async function carryOut(order) {
  try {
    const [event, says] = await orders[order.do](order);
    tell(event, { ...says, of: order.id });
  } catch (error) {
    tell("error", { kind: error?.name ?? "unknown", of: order.id });
  }
}

tell("ready", { protocol: 1, name: "azure-iot-device-mqtt", version });
const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const order = JSON.parse(line);
  if (order.do === "quit") lines.close();
  else carryOut(order);
});
lines.on("close", () => client.close(() => process.exit(0)));
