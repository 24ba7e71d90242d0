"""What the data panel beside a page shows of an element (WS-18)."""
