// Microsoft's reader before @azure/event-hubs 5, unmodified: by the hub's own connection string, and by the events'.
"use strict";

const { existsSync } = require("node:fs");
const { join } = require("node:path");
const { HUB, Kept, ask, refused, run, same, step } = require("./steps");

// Version 0 had another name.
const NAME = existsSync(join(process.env.NODE_PATH, "azure-event-hubs")) ? "azure-event-hubs" : "@azure/event-hubs";
const { EventHubClient, EventPosition } = require(NAME);
const { version } = require(`${NAME}/package.json`);

const DEVICES = [0, 1, 2, 3].map((number) => `event-hubs-${version}-${number}`);
const LATECOMER = `event-hubs-${version}-latecomer`;
const COUNT = 5;
const WAYS = {
  "hub's connection string": (change = (text) => text) =>
    EventHubClient.createFromIotHubConnectionString(change(HUB.service_connection_string)),
  "events' connection string": async (change = (text) => text) =>
    EventHubClient.createFromConnectionString(change(HUB.events_connection_string)),
};

function sender(event) {
  return (event.annotations ?? {})["iothub-connection-device-id"];
}

// Read partitions while the function runs; it gets what comes, event by event: [partition, event].
async function reading(client, positions, act, options = {}) {
  const kept = new Kept();
  const errors = new Kept();
  const handlers = Object.entries(positions).map(([partition, eventPosition]) =>
    client.receive(partition, (event) => kept.put([partition, event]), (error) => errors.put(error), {
      eventPosition,
      ...options,
    }),
  );
  try {
    return await act(kept, errors);
  } finally {
    await Promise.all(handlers.map((handler) => handler.stop()));
  }
}

// Take the next events of these devices; others use the hub as well.
async function ours(kept, count, devices = DEVICES) {
  const found = [];
  while (found.length < count) {
    const [partition, event] = await kept.take();
    if (devices.includes(sender(event))) found.push([partition, event]);
  }
  return found;
}

async function round(way, make) {
  let client;
  await step(`${way}: finds the Event Hub`, async () => {
    client = await make();
    const found = await client.getHubRuntimeInformation();
    same([found.path, found.partitionIds], ["iothub-emulator", ["0", "1"]]);
  });
  await step(`${way}: finds the state of each partition`, async () => {
    for (const partition of ["0", "1"]) {
      const found = await client.getPartitionInformation(partition);
      same([found.partitionId, found.hubPath], [partition, "iothub-emulator"]);
    }
  });
  const events = { 0: [], 1: [] };
  await step(`${way}: reads both partitions from the beginning`, async () => {
    const start = { 0: EventPosition.fromStart(), 1: EventPosition.fromStart() };
    await reading(client, start, async (kept) => {
      for (const [partition, event] of await ours(kept, COUNT * DEVICES.length)) events[partition].push(event);
    });
    for (const device of DEVICES) {
      const bodies = [...events[0], ...events[1]].filter((event) => sender(event) === device).map((event) => String(event.body));
      same(bodies, [0, 1, 2, 3, 4].map((number) => `${device} ${number}`));
    }
  });
  const all = [...events[0], ...events[1]];
  await step(`${way}: an event is whole`, async () => {
    const event = all[0];
    same(event.applicationProperties, { alarm: "true", lugar: "São Paulo", empty: "" });
    const properties = event.properties;
    same([properties.message_id, properties.correlation_id, properties.content_type], ["m-1", "c-1", "text/plain"]);
    same(event.annotations["iothub-message-source"], "Telemetry");
    same(JSON.parse(event.annotations["iothub-connection-auth-method"]).type, "sas");
    same(event.enqueuedTimeUtc instanceof Date, true);
  });
  const partition = events[0].length > events[1].length ? "0" : "1";
  const [, known, next] = events[partition];
  const later = events[partition].find((event) => event.enqueuedTimeUtc > known?.enqueuedTimeUtc);
  const positions = {
    "after sequence number": [() => EventPosition.fromSequenceNumber(known.sequenceNumber, false), next],
    "at sequence number": [() => EventPosition.fromSequenceNumber(known.sequenceNumber, true), known],
    "after offset": [() => EventPosition.fromOffset(known.offset, false), next],
    "at offset": [() => EventPosition.fromOffset(known.offset, true), known],
    // Two events may have come within a millisecond: behind a time is what came later.
    "after enqueued time": [() => EventPosition.fromEnqueuedTime(known.enqueuedTimeUtc), later],
  };
  for (const [where, [position, expected]] of Object.entries(positions)) {
    await step(`${way}: starts ${where}`, async () => {
      await reading(client, { [partition]: position() }, async (kept) => {
        const [[, found]] = await ours(kept, 1);
        same(found.sequenceNumber, expected.sequenceNumber);
      });
    });
  }
  await step(`${way}: starts at the latest`, async () => {
    await reading(client, { 0: EventPosition.fromEnd(), 1: EventPosition.fromEnd() }, async (kept) => {
      let found = null;
      const taken = ours(kept, 1, [LATECOMER]).then((first) => { found = first; });
      // The reader may attach behind the first of them.
      while (found === null) {
        await ask("publish", { identity: LATECOMER, bodies: [`late ${way}`] });
        await new Promise((resolve) => { setImmediate(resolve); });
      }
      await taken;
      same(String(found[0][1].body).startsWith("late "), true);
    });
  });
  await step(`${way}: takes a batch`, async () => {
    const options = { eventPosition: EventPosition.fromStart() };
    same((await client.receiveBatch(partition, 3, 20, options)).length, 3);
  });
  await step(`${way}: a higher epoch takes the partition`, async () => {
    // A group of its own: the epoch counts for all its readers, the test's own too.
    const consumerGroup = `epochs-${version}-${way.length}`;
    const start = { [partition]: EventPosition.fromStart() };
    const [lower, higher] = await Promise.all([make(), make()]);
    await reading(lower, start, async (low, errors) => {
      await ours(low, 1);
      await reading(higher, start, async (high) => ours(high, 1), { epoch: 2, consumerGroup });
      same((await errors.take()).name, "ReceiverDisconnectedError");
    }, { epoch: 1, consumerGroup });
    await Promise.all([lower.close(), higher.close()]);
  });
  await step(`${way}: close`, () => client.close());
  await step(`${way}: a wrong key is refused`, async () => {
    const wrong = async () => {
      const reader = await make((text) => text.replace(/SharedAccessKey=[^;]*/, "SharedAccessKey=d3Jvbmc="));
      await reader.getHubRuntimeInformation();
    };
    await refused(wrong(), "UnauthorizedError");
  });
}

run(async () => {
  await step("set the stage: four devices send five events each", async () => {
    let bag = "alarm=true&lugar=S%C3%A3o%20Paulo&empty=";
    bag += "&%24.mid=m-1&%24.cid=c-1&%24.uid=u-1&%24.ct=text%2Fplain&%24.ce=utf-8";
    for (const identity of [...DEVICES, LATECOMER]) {
      await ask("create", { identity });
      await ask("connect", { identity });
    }
    for (const identity of DEVICES) {
      await ask("publish", { identity, bodies: [0, 1, 2, 3, 4].map((number) => `${identity} ${number}`), bag });
    }
  });
  if (HUB.ports.amqp !== 5671 || HUB.ports.https !== 443) return;
  for (const [way, make] of Object.entries(WAYS)) await round(way, make);
});
