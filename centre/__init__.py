"""The central side: stores every event of every kiosk once, publishes the orders, and shows what is going on."""
