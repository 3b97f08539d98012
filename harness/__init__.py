"""The test harness: real kiosks as processes, a real Mosquitto, a simulated centre and a simulated consumer.

System tests, benchmarks, the virtual kiosks of `make rig` and fleets of kiosks all use these parts. The harness sees
the product from outside, through its configuration, devices, MQTT messages and commands: it imports nothing from
`agent`, and what it knows of the contract is written down here a second time. It is not part of the wheel.
"""
